/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts at the start, and the text of --version. */
#include "parent/cmdline/banner.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ipc/describe.h"

/* The size of a path in the line of the log. */
#define PATH_SHOWN_SIZE 256

/* The column of the values, as in slirp4netns: scripts cut the lines there. */
#define VALUE_COLUMN 19

struct text {
	char *buf;
	size_t size;
	size_t len;
	bool is_complete; /* false once something didn't fit */
};

static void
text_start(struct text *text, char *buf, size_t buf_size)
{
	text->buf = buf;
	text->size = buf_size;
	text->len = 0;
	text->is_complete = true;
}

static void __attribute__((format(printf, 2, 3)))
text_append(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->buf + text->len, text->size - text->len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= text->size - text->len) {
		text->is_complete = false;
		return;
	}
	text->len += (size_t)n;
}

static void
text_append_value(struct text *text, const char *label, const char *value)
{
	text_append(text, "* %-*s%s\n", VALUE_COLUMN - 2, label, value);
}

static void
text_append_addr4(struct text *text, const char *label, in_addr_t addr_be)
{
	char buf[INET_ADDRSTRLEN];

	text_append_value(text, label, inet_ntop(AF_INET, &addr_be, buf, sizeof(buf)));
}

static int
text_finish(struct text *text)
{
	if (!text->is_complete) {
		text->buf[0] = '\0';
		return -1;
	}
	return (int)text->len;
}

int
banner_start_format(char *buf, size_t buf_size, const struct options *options,
    const struct ipc_outbound *outbound)
{
	const struct options_addresses *addresses = &options->addresses;
	struct text text;
	char addr[INET6_ADDRSTRLEN];
	char mac[MAC_STRLEN];

	text_start(&text, buf, buf_size);
	text_append(&text, "Starting slirp\n");
	text_append(&text, "* %-*s%u\n", VALUE_COLUMN - 2, "MTU:", options->mtu_bytes);
	text_append_addr4(&text, "Network:", options->network.network_be);
	text_append_addr4(&text, "Netmask:", addresses->netmask_be);
	text_append_addr4(&text, "Gateway:", addresses->host_be);
	text_append_addr4(&text, "DNS:", addresses->dns_be);
	text_append_addr4(&text, "DHCP begin:", addresses->dhcp_start_be);
	text_append_addr4(&text, "DHCP end:", addresses->dhcp_end_be);
	text_append_addr4(&text, "Recommended IP:", addresses->recommended_be);
	if (options->api_socket_path != NULL)
		text_append_value(&text, "API Socket:", options->api_socket_path);
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
		if (outbound->has_addr[is_ipv6])
			text_append_value(&text,
			    is_ipv6 ? "Outbound IPv6:" : "Outbound IPv4:",
			    inaddr_format(&outbound->addr[is_ipv6], addr));
	if (options->has_mac)
		text_append_value(&text, "MAC address:", mac_format(&options->mac, mac));
	if (options->allow_host_loopback)
		text_append(&text,
		    "WARNING: 127.0.0.1:* on the host is accessible as %s (set "
		    "--disable-host-loopback to prohibit connecting to "
		    "127.0.0.1:*)\n",
		    inet_ntop(AF_INET, &addresses->host_be, addr, sizeof(addr)));
	return text_finish(&text);
}

/* Appends three words on the jails, and the stages that are missing. */
static void
append_confinement(struct text *text, const struct options *options, uint32_t missing)
{
	if (options->sandbox_mode == IPC_JAIL_OFF &&
	    options->seccomp_mode == IPC_JAIL_OFF)
		text_append(text, "no process confined");
	else if (options->sandbox_mode == IPC_JAIL_OFF)
		text_append(text, "confined by seccomp only");
	else if (missing == 0)
		text_append(text, "all processes confined");
	else
		text_append(text, "processes confined without:");
	for (size_t i = 0; i < IPC_STAGE_N; i++)
		if (options->sandbox_mode != IPC_JAIL_OFF && missing & (1U << i))
			text_append(text, " %s", ipc_stage_names[i]);
}

void
banner_ready_format(char *buf, size_t buf_size, const struct options *options,
    const char *netns, uint32_t missing)
{
	char address[INET_ADDRSTRLEN], shown[PATH_SHOWN_SIZE];
	struct text text;

	text_start(&text, buf, buf_size);
	inet_ntop(AF_INET, &options->addresses.recommended_be, address, sizeof(address));
	text_append(&text, "ready: ");
	switch (options->target) {
	case OPTIONS_TARGET_PID:
	case OPTIONS_TARGET_PATH:
		text_escape(shown, sizeof(shown), netns, strlen(netns));
		text_append(&text, "%s %s %s/%u in %s; ", options->tap_name,
		    options->configure ? "has" : "needs an address such as", address,
		    options->network.prefix_len, shown);
		break;
	case OPTIONS_TARGET_TAPFD:
		text_append(&text, "inherited TAP %d needs an address such as %s/%u; ",
		    options->tap_fd, address, options->network.prefix_len);
		break;
	case OPTIONS_TARGET_BESS:
		text_escape(shown, sizeof(shown), options->bess_path,
		    strlen(options->bess_path));
		text_append(&text, "bess socket %s, for an address such as %s/%u; ",
		    shown, address, options->network.prefix_len);
		break;
	}
	append_confinement(&text, options, missing);
}

int
banner_version_format(char *buf, size_t buf_size, const char *program_name,
    const char *libslirp_version, unsigned int config_version_max)
{
	struct text text;
	bool is_slirp4netns = strcmp(program_name, OPTIONS_NAME_SLIRP4NETNS) == 0;

	text_start(&text, buf, buf_size);
	text_append(&text, "%s version %s\n",
	    is_slirp4netns ? OPTIONS_NAME_SLIRP4NETNS : OPTIONS_NAME_SLIRPD,
	    SLIRPD_VERSION);
	text_append(&text, "commit: %s\n", SLIRPD_COMMIT);
	text_append(&text, "libslirp: %s\n", libslirp_version);
	text_append(&text, "SLIRP_CONFIG_VERSION_MAX: %u\n", config_version_max);
	text_append(&text, "libseccomp: %s\n", SLIRPD_LIBSECCOMP_VERSION);
	return text_finish(&text);
}
