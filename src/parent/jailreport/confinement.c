/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints the report of --print-confinement as JSON. */
#include "parent/jailreport/confinement.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "confine/caps.h"
#include "ipc/describe.h"
#include "seccomp/api_policy.h"
#include "seccomp/cgroup-mover_policy.h"
#include "seccomp/connector_policy.h"
#include "seccomp/netns-helper_policy.h"
#include "seccomp/policy-reader_policy.h"
#include "seccomp/parent_policy.h"
#include "seccomp/resolver_policy.h"
#include "seccomp/slirp-worker_policy.h"
#include "seccomp/spawner_policy.h"

/* "/proc/2147483647/status" with its NUL. */
#define PROC_STATUS_PATH_SIZE 32

/* Capabilities are bits of 64. */
#define N_CAPS_MAX 64

/* "CAP_CHECKPOINT_RESTORE" with its NUL, and space for longer names. */
#define CAP_NAME_SIZE 48

/* Facts that are the same in every process of a build, so no message carries them. */
struct role_facts {
	const char *const *calls; /* the system calls of its policy */
	size_t n_calls;
};

#define CALLS(role) \
	.calls = seccomp_##role##_calls, \
	.n_calls = sizeof(seccomp_##role##_calls) / sizeof(seccomp_##role##_calls[0])

static const struct role_facts facts[IPC_ROLE_END] = {
	[IPC_ROLE_PARENT] = { CALLS(parent) },
	[IPC_ROLE_NETNS_HELPER] = { CALLS(netns_helper) },
	[IPC_ROLE_SLIRP_WORKER] = { CALLS(slirp_worker) },
	[IPC_ROLE_CONNECTOR] = { CALLS(connector) },
	[IPC_ROLE_RESOLVER] = { CALLS(resolver) },
	[IPC_ROLE_SPAWNER] = { CALLS(spawner) },
	[IPC_ROLE_API] = { CALLS(api) },
	[IPC_ROLE_CGROUP_MOVER] = { CALLS(cgroup_mover) },
	[IPC_ROLE_POLICY_READER] = { CALLS(policy_reader) },
};

static const char *const mode_names[IPC_JAIL_N_MODES] = {
	[IPC_JAIL_OFF] = "off",
	[IPC_JAIL_BEST_EFFORT] = "best-effort",
	[IPC_JAIL_REQUIRED] = "required",
};

static uint64_t
inode_of(int fd)
{
	struct stat st;

	return fd != -1 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

void
parent_confinement_init(struct confinement *report, const struct target *target,
    const char *no_guest)
{
	struct utsname name;

	*report = (struct confinement){
		.no_guest = no_guest,
		.guest_userns = inode_of(target->userns_fd),
		.guest_netns = inode_of(target->netns_fd),
	};
	if (uname(&name) == 0)
		snprintf(report->kernel, sizeof(report->kernel), "%s", name.release);
}

/* Reads the number after the name of a field; if there are several, the number with this
 * index. Returns whether the line is that field. */
static bool
take_field(const char *line, const char *name, int base, unsigned int index,
    uint64_t *number)
{
	size_t name_len = strlen(name);
	char *rest;

	if (strncmp(line, name, name_len) != 0)
		return false;
	rest = (char *)(uintptr_t)line + name_len;
	for (unsigned int i = 0; i <= index; i++)
		*number = strtoull(rest, &rest, base);
	return true;
}

/* Reads /proc/PID/status. On failure seen->pid is 0. */
static void
see(struct confinement_seen *seen, pid_t pid)
{
	const struct {
		const char *name;
		int base;
		unsigned int index;
		uint64_t *number;
	} fields[] = {
		/* The order is real, effective, saved, file system. */
		{ "Uid:", 10, 1, &seen->uid },
		{ "Gid:", 10, 1, &seen->gid },
		{ "CapEff:", 16, 0, &seen->cap_effective },
		{ "CapBnd:", 16, 0, &seen->cap_bounding },
		{ "NoNewPrivs:", 10, 0, &seen->no_new_privs },
		{ "Seccomp:", 10, 0, &seen->seccomp },
	};
	const size_t n_fields = sizeof(fields) / sizeof(fields[0]);
	char path[PROC_STATUS_PATH_SIZE];
	autofree char *line = NULL;
	size_t line_size = 0, n_found = 0;
	FILE *status;

	*seen = (struct confinement_seen){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	if (!status)
		return;
	while (getline(&line, &line_size, status) != -1)
		for (size_t i = 0; i < n_fields; i++)
			n_found += take_field(line, fields[i].name, fields[i].base,
			    fields[i].index, fields[i].number);
	fclose(status);
	if (n_found == n_fields)
		seen->pid = pid;
}

void
parent_confinement_see(struct confinement *report, enum ipc_role role, pid_t pid)
{
	see(&report->seen[role], pid);
}

/* --- JSON: names of ours, numbers, and a few texts from outside --- */

static void
print_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\' || byte < ' ' || byte > '~')
			fprintf(out, "\\u%04x", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}

static void
print_stages(FILE *out, uint32_t reached)
{
	for (size_t i = 0; i < IPC_STAGE_N; i++)
		fprintf(out, "%s\"%s\": %s", i > 0 ? ", " : "", ipc_stage_names[i],
		    reached & (1U << i) ? "true" : "false");
}

static void
print_caps(FILE *out, uint64_t set)
{
	const char *separator = "";

	fputc('[', out);
	for (unsigned int cap = 0; cap < N_CAPS_MAX; cap++) {
		const char *name = confine_cap_name(cap);
		char text[CAP_NAME_SIZE];

		if (!(set & CONFINE_CAP_BIT(cap)))
			continue;
		/* A capability that the library does not know has its number as its
		 * name. */
		if (name)
			snprintf(text, sizeof(text), "CAP_%s", name);
		else
			snprintf(text, sizeof(text), "CAP_%u", cap);
		for (char *letter = text; *letter; letter++)
			*letter = (char)toupper((unsigned char)*letter);
		fputs(separator, out);
		print_text(out, text);
		separator = ", ";
	}
	fputc(']', out);
}

/* Prints whose namespace it is: the process's own, the guest's, or the caller's. */
static void
print_namespace(FILE *out, uint64_t id, uint64_t callers, uint64_t guests)
{
	if (id == 0)
		fputs("null", out);
	else if (id == callers)
		fputs("\"caller\"", out);
	else if (id == guests)
		fputs("\"guest\"", out);
	else
		fputs("\"own\"", out);
}

static void
print_namespaces(FILE *out, const struct confinement *report,
    const struct ipc_namespaces *namespaces, const struct ipc_namespaces *callers)
{
	const struct ipc_namespaces guests = {
		.user = report->guest_userns,
		.net = report->guest_netns,
	};
	const char *separator = "";

#define PRINT_NAMESPACE(name) \
	fprintf(out, "%s\"" #name "\": ", separator); \
	print_namespace(out, namespaces->name, callers->name, guests.name); \
	separator = ", ";
	IPC_NAMESPACES(PRINT_NAMESPACE)
#undef PRINT_NAMESPACE
}

static void
print_seen(FILE *out, const struct confinement_seen *seen)
{
	fprintf(out, "      \"uid\": %" PRIu64 ",\n      \"gid\": %" PRIu64 ",\n",
	    seen->uid, seen->gid);
	fprintf(out,
	    "      \"proc\": {\"CapEff\": \"%016" PRIx64 "\", \"CapBnd\": \"%016" PRIx64
	    "\", \"NoNewPrivs\": %" PRIu64 ", \"Seccomp\": %" PRIu64 "}\n",
	    seen->cap_effective, seen->cap_bounding, seen->no_new_privs, seen->seccomp);
}

static void
print_role(FILE *out, const struct confinement *report, const char *name,
    const struct role_facts *role, const struct ipc_confined *said,
    const struct ipc_confined *parent_said, const struct confinement_seen *seen)
{
	fprintf(out, "    \"%s\": {\n      \"stages\": {", name);
	print_stages(out, said->stages);
	fputs("},\n      \"system_calls\": ", out);
	if (said->stages & (1U << IPC_STAGE_seccomp)) {
		fputc('[', out);
		for (size_t i = 0; i < role->n_calls; i++)
			fprintf(out, "%s\"%s\"", i > 0 ? ", " : "", role->calls[i]);
		fputc(']', out);
	} else {
		fputs("null", out);
	}
	fputs(",\n      \"capabilities\": {\"effective\": ", out);
	print_caps(out, said->cap_effective);
	fputs(", \"bounding\": ", out);
	print_caps(out, said->cap_bounding);
	fprintf(out, "},\n      \"root\": %s,\n      \"namespaces\": {",
	    said->stages & (1U << IPC_STAGE_root) ? "[]" : "null");
	print_namespaces(out, report, &said->namespaces, &parent_said->namespaces);
	fprintf(out, "},\n      \"landlock_abi\": %u,\n", said->landlock_abi);
	print_seen(out, seen);
	fputs("    }", out);
}

/* Whether the kernel confirms what the process has reported. */
static bool
is_true(const char *name, const struct role_facts *role, const struct ipc_confined *said,
    const struct confinement_seen *seen)
{
	bool has_filter = said->stages & (1U << IPC_STAGE_seccomp);

	if (seen->pid == 0)
		log_error("read /proc/PID/status of %s: a field is missing", name);
	else if (said->cap_effective != seen->cap_effective ||
	    said->cap_bounding != seen->cap_bounding)
		log_error("%s has other capabilities than it reported", name);
	else if (has_filter && (seen->seccomp == 0 || seen->no_new_privs == 0))
		log_error("%s has no filter, although it reported one", name);
	else if (has_filter && said->n_calls != role->n_calls)
		log_error("%s has the policy of another build", name);
	else
		return true;
	return false;
}

/* Standard output belongs to the caller: it may be slow, and must not be made
 * non-blocking. */
static int
write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static bool
print_roles(FILE *out, const struct confinement *report,
    const struct confinement_said *said)
{
	const struct ipc_confined *confined = said->confined;
	struct confinement_seen parent_seen;
	const char *separator = "";
	bool all_true = true;

	see(&parent_seen, getpid());
	for (size_t i = IPC_ROLE_PARENT; i < IPC_ROLE_END; i++) {
		const struct confinement_seen *seen =
		    i == IPC_ROLE_PARENT ? &parent_seen : &report->seen[i];

		fputs(separator, out);
		separator = ",\n";
		/* The helper runs only with a guest, and the mover only if it has control
		 * groups to move processes to. */
		if (i != IPC_ROLE_PARENT && confined[i].stages == 0) {
			fprintf(out, "    \"%s\": null", roles[i].name);
			continue;
		}
		all_true =
		    is_true(roles[i].name, &facts[i], &confined[i], seen) && all_true;
		print_role(out, report, roles[i].name, &facts[i], &confined[i],
		    &confined[IPC_ROLE_PARENT], seen);
	}
	return all_true;
}

int
parent_confinement_print(const struct confinement *report, const struct options *options,
    const struct confinement_said *said)
{
	autofree char *text = NULL;
	size_t len;
	/* Write to memory first: stdio queries a terminal, which no policy allows. */
	FILE *out = open_memstream(&text, &len);
	bool all_true;

	if (!out) {
		log_error("get memory for the report: %s", strerror(errno));
		return -1;
	}
	fputs("{\n  \"slirpd\": ", out);
	print_text(out, SLIRPD_VERSION);
	fputs(",\n  \"libslirp\": ", out);
	print_text(out, said->about->libslirp_version);
	fputs(",\n  \"kernel\": ", out);
	print_text(out, report->kernel);
	fprintf(out,
	    ",\n  \"sandbox\": \"%s\",\n  \"seccomp\": \"%s\",\n  \"no_guest\": ",
	    mode_names[options->sandbox_mode], mode_names[options->seccomp_mode]);
	if (report->no_guest)
		print_text(out, report->no_guest);
	else
		fputs("null", out);
	fputs(",\n  \"roles\": {\n", out);
	all_true = print_roles(out, report, said);
	fputs("\n  }\n}\n", out);
	if (fclose(out) != 0 || !text) {
		log_error("get memory for the report");
		return -1;
	}
	if (write_all(text, len) == -1) {
		log_error("write the report: %s", strerror(errno));
		return -1;
	}
	return all_true ? 0 : -1;
}
