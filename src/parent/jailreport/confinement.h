/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of --print-confinement: what each process of a real start said of its jail,
 * beside what /proc shows of it, as JSON on standard output.
 */
#pragma once

#include "parent/cmdline/options.h"
#include "parent/supervise/roles.h"
#include "parent/supervise/target.h"

/* "6.1.0-18-amd64" with its NUL: utsname's own size, uname(2). */
#define CONFINEMENT_RELEASE_SIZE 65

/* What /proc/PID/status shows of a process. */
struct confinement_seen {
	pid_t pid;    /* 0: the role did not run, or /proc did not show it */
	uint64_t uid; /* effective, like the gid */
	uint64_t gid;
	uint64_t cap_effective;
	uint64_t cap_bounding;
	uint64_t no_new_privs;
	uint64_t seccomp; /* SECCOMP_MODE_... */
};

/* One report on its way. */
struct confinement {
	const char
	    *no_guest; /* borrowed: why there is no guest; NULL where there is one */
	uint64_t guest_userns; /* the guest's namespaces by inode, 0 for none */
	uint64_t guest_netns;
	struct confinement_seen seen[IPC_ROLE_END];
	char kernel[CONFINEMENT_RELEASE_SIZE];
};

/* What the processes said. */
struct confinement_said {
	const struct ipc_about *about;
	const struct ipc_confined *confined; /* IPC_ROLE_END of them */
};

/* target is that of the guest, open; no_guest is borrowed. */
void parent_confinement_init(struct confinement *report, const struct target *target,
    const char *no_guest);

/* Looks at a child, which has just said what it reached. */
void parent_confinement_see(struct confinement *report, enum ipc_role role, pid_t pid);

/*
 * Prints the report; the parent has its filter already. Returns 0, or -1 having logged
 * the reason: standard output did not take it, or what a process said is not what /proc
 * shows.
 */
int parent_confinement_print(const struct confinement *report,
    const struct options *options, const struct confinement_said *said);
