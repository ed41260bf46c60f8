/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of the command line, and the help text. */
#include "parent/cmdline/opttable.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The column of the descriptions in the help text: the longest option and two spaces. Within
 * 80 columns it leaves them 46 characters. */
#define HELP_COLUMN 34

static const char *const group_titles[N_GROUPS] = {
	[GROUP_GUEST] = "Guest",
	[GROUP_NETWORK] = "Network of the guest",
	[GROUP_POLICY] = "Destinations of the guest",
	[GROUP_FORWARDS] = "Forwards and requests",
	[GROUP_LIFE] = "Start and end",
	[GROUP_CONFINEMENT] = "Confinement",
	[GROUP_LOG] = "Log",
	[GROUP_HELP] = "Help",
};

#define NETWORK6_DEFAULT OPTTABLE_PREFIX6 "/64"

#define FIELD(field) .offset = offsetof(struct options, field)
#define FLAG(field, value) FIELD(field), .flag_value = (value)

const struct option_spec opttable[] = {
	{ "configure", NULL, "bring the interface up, with its addresses", .letter = 'c',
	    FLAG(configure, true), .group = GROUP_NETWORK },
	{ "exit-fd", "FD", "end when the other side of FD is closed", .letter = 'e',
	    .take = optvalue_take_fd, FIELD(exit_fd), .group = GROUP_LIFE },
	{ "ready-fd", "FD", "write \"1\" to FD when the network works", .letter = 'r',
	    .take = optvalue_take_fd, FIELD(ready_fd), .group = GROUP_LIFE },
	{ "mtu", "MTU", "MTU of the interface (default=1500, max=65521)", .letter = 'm',
	    .take = optvalue_take_mtu, .group = GROUP_NETWORK },
	{ "enable-ipv6", NULL, "IPv6 beside IPv4, with router advertisements",
	    .letter = '6', FLAG(enable_ipv6, true), .group = GROUP_NETWORK },
	{ "api-socket", "PATH", "socket for requests while running", .letter = 'a',
	    .take = optvalue_take_api_socket, .group = GROUP_FORWARDS },
	{ "publish", "FORWARD", "[ADDR:]PORT[-PORT]:[GUEST:]PORT[/udp]",
	    .take = optvalue_take_publish, .group = GROUP_FORWARDS },
	{ "cidr", "CIDR", "network of the guest (default=" OPTTABLE_NETWORK ")",
	    .take = optvalue_take_cidr, .group = GROUP_NETWORK },
	{ "cidr6", "CIDR6", "IPv6 network of the guest (default=" NETWORK6_DEFAULT ")",
	    .take = optvalue_take_cidr6, .group = GROUP_NETWORK },
	{ "disable-host-loopback", NULL, "no access to 127.0.0.1 and ::1 on the host",
	    FLAG(allow_host_loopback, false), .group = GROUP_NETWORK },
	{ "allow-host-loopback", NULL, "with run: access to them, closed otherwise",
	    FLAG(allow_host_loopback, true), .use = USE_OF_RUN, .group = GROUP_NETWORK },
	{ "no-host-loopback", .replaced_by = "disable-host-loopback",
	    FLAG(allow_host_loopback, false) },
	{ "netns-type", "TYPE", "type of argument 1: pid (default), path, tapfd",
	    .take = optvalue_take_netns_type, .use = USE_NOT_OF_RUN,
	    .group = GROUP_GUEST },
	{ "create-netns", NULL, "make the namespace and pin it on PATH",
	    FLAG(create_netns, true), .use = USE_NOT_OF_RUN, .group = GROUP_GUEST },
	{ "userns-path", "PATH", "user namespace to join",
	    .take = optvalue_take_userns_path, .use = USE_NOT_OF_RUN,
	    .group = GROUP_GUEST },
	{ "enable-sandbox", NULL, "fail if the sandbox cannot be made",
	    FLAG(require_sandbox, true), .group = GROUP_CONFINEMENT },
	{ "create-sandbox", .replaced_by = "enable-sandbox",
	    FLAG(require_sandbox, true) },
	{ "disable-sandbox", NULL, "do without the sandbox", FLAG(use_sandbox, false),
	    .group = GROUP_CONFINEMENT },
	{ "enable-seccomp", NULL, "fail if there can be no system call filter",
	    FLAG(require_seccomp, true), .group = GROUP_CONFINEMENT },
	{ "disable-seccomp", NULL, "do without the system call filter",
	    FLAG(use_seccomp, false), .group = GROUP_CONFINEMENT },
	{ "runas", "USER[:GROUP]", "as root: user of the worker (default=nobody)",
	    .take = optvalue_take_runas, .group = GROUP_CONFINEMENT },
	{ "print-confinement", NULL, "report all jails as JSON and exit",
	    FLAG(print_confinement, true), .use = USE_NOT_OF_RUN,
	    .group = GROUP_CONFINEMENT },
	{ "keep-id", NULL, "with run: keep uid and gid; else both are 0",
	    FLAG(keep_id, true), .use = USE_OF_RUN, .group = GROUP_GUEST },
	{ "policy", "PROFILE|PATH", "destinations: open, internet, closed, a file",
	    .take = optvalue_take_policy, .use = USE_OF_SLIRPD, .group = GROUP_POLICY },
	{ "allow-out", "HOST:PORT[/udp]", "the guest may reach this, and no more",
	    .take = optvalue_take_allow_out, .use = USE_OF_SLIRPD,
	    .group = GROUP_POLICY },
	{ "deny-out", "HOST:PORT[/udp]", "the guest may not reach this",
	    .take = optvalue_take_deny_out, .use = USE_OF_SLIRPD, .group = GROUP_POLICY },
	{ "policy-mode", "MODE", "audit: count what is denied, and let it pass",
	    .take = optvalue_take_policy_mode, .use = USE_OF_SLIRPD,
	    .group = GROUP_POLICY },
	{ "policy-lock", NULL, "requests may deny more, and open nothing",
	    FLAG(policy_lock, true), .use = USE_OF_SLIRPD, .group = GROUP_POLICY },
	{ "check-policy", NULL, "check the policy and exit", FLAG(check_policy, true),
	    .use = USE_OF_SLIRPD, .group = GROUP_POLICY },
	{ "outbound-addr", "IPv4|IFNAME", "source address of IPv4 connections",
	    .take = optvalue_take_outbound_addr4, .group = GROUP_NETWORK },
	{ "outbound-addr6", "IPv6|IFNAME", "source address of IPv6 connections",
	    .take = optvalue_take_outbound_addr6, .group = GROUP_NETWORK },
	{ "disable-dns", NULL, "no built-in DNS server", FLAG(enable_dns, false),
	    .group = GROUP_NETWORK },
	{ "macaddress", "MAC", "address of the interface (only with -c)",
	    .take = optvalue_take_macaddress, .group = GROUP_NETWORK },
	{ "target-type", "TYPE", "type of the other end: netns (default) or bess",
	    .take = optvalue_take_target_type, .use = USE_NOT_OF_RUN,
	    .group = GROUP_GUEST },
	{ "pidfile", "PATH", "file to write the PID to", .take = optvalue_take_file_path,
	    FIELD(pidfile_path), .group = GROUP_LIFE },
	{ "restart", "yes|no", "start a process that died again (default=yes)",
	    .take = optvalue_take_restart, .group = GROUP_LIFE,
	    /* slirp4netns takes --re for --ready-fd. */
	    .use = USE_OF_SLIRPD },
	{ "log-file", "PATH", "file to log to, with PATH.1 of at most 2 MiB",
	    .take = optvalue_take_file_path, FIELD(log_file_path), .group = GROUP_LOG },
	{ "log-level", "LEVEL", "error, warning, info (the default) or debug",
	    .take = optvalue_take_log_level, .group = GROUP_LOG },
	{ "help", NULL, "show this text and exit", .letter = OPTTABLE_LETTER_HELP,
	    .group = GROUP_HELP },
	{ "version", NULL, "show the version and exit", .letter = OPTTABLE_LETTER_VERSION,
	    .group = GROUP_HELP },
};

static_assert(sizeof(opttable) / sizeof(opttable[0]) == OPTVALUE_N_OPTIONS,
    "one row each");

const struct option_spec *
opttable_find(const char *name, size_t len)
{
	const struct option_spec *spec = opttable;

	while (strncmp(spec->name, name, len) != 0 || spec->name[len] != '\0')
		spec++;
	return spec;
}

bool
opttable_is_known(const char *program_name, const struct option_spec *spec)
{
	return (spec->use != USE_OF_RUN && spec->use != USE_OF_SLIRPD) ||
	    !options_is_slirp4netns(program_name);
}

/* A row of the help text. Long options stand below each other. */
static void
write_option(FILE *out, const struct option_spec *spec)
{
	int len;

	if (spec->letter)
		len = fprintf(out, "-%c, --%s", spec->letter, spec->name);
	else
		len = fprintf(out, "    --%s", spec->name);
	if (spec->value_name != NULL)
		len += fprintf(out, "=%s", spec->value_name);
	fprintf(out, "%*s%s\n", HELP_COLUMN - len, "", spec->description);
}

void
options_help_write(FILE *out, const char *program_name)
{
	fprintf(out, "Usage: %s " OPTVALUE_USAGE "\n", program_name);
	if (!options_is_slirp4netns(program_name))
		fprintf(out, "       %s " OPTVALUE_USAGE_RUN "\n", program_name);
	fputs("User-mode networking for unprivileged network namespaces.\n", out);
	for (int group = GROUP_NONE + 1; group < N_GROUPS; group++) {
		if (group == GROUP_POLICY && options_is_slirp4netns(program_name))
			continue;
		fprintf(out, "\n%s:\n", group_titles[group]);
		for (size_t i = 0; i < OPTVALUE_N_OPTIONS; i++) {
			const struct option_spec *spec = &opttable[i];

			if ((int)spec->group == group &&
			    opttable_is_known(program_name, spec))
				write_option(out, spec);
		}
	}
	fprintf(out,
	    "\nExample: %s --configure --disable-host-loopback PID tap0\n"
	    "See slirpd(1).\n",
	    program_name);
}
