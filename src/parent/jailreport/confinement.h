/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of --print-confinement: the jail of each process of a real start, as the
 * process reports it and as /proc shows it. JSON on standard output. */
#pragma once

#include "parent/cmdline/options.h"
#include "parent/roles.h"
#include "parent/supervise/target.h"

/* The size of a field of struct utsname (uname(2)), such as "6.1.0-18-amd64". */
#define CONFINEMENT_RELEASE_SIZE 65

/* The values of a process in /proc/PID/status. */
struct confinement_seen {
	pid_t pid;    /* 0: the process did not run, or /proc did not show it */
	uint64_t uid; /* effective, like the gid */
	uint64_t gid;
	uint64_t cap_effective;
	uint64_t cap_bounding;
	uint64_t no_new_privs;
	uint64_t seccomp; /* SECCOMP_MODE_... */
};

/* The data of a report. */
struct confinement {
	const char
	    *no_guest; /* borrowed: the reason for no guest; NULL if there is one */
	uint64_t guest_userns; /* the guest's namespaces by inode, 0 for none */
	uint64_t guest_netns;
	struct confinement_seen seen[IPC_ROLE_END];
	char kernel[CONFINEMENT_RELEASE_SIZE];
};

/* The reports of the processes. */
struct confinement_said {
	const struct ipc_about *about;
	const struct ipc_confined *confined; /* IPC_ROLE_END of them */
};

/* target is the guest's, open. no_guest is borrowed. */
void parent_confinement_init(struct confinement *report, const struct target *target,
    const char *no_guest);

/* Reads the values of a child that has just reported its jail. */
void parent_confinement_see(struct confinement *report, enum ipc_role role, pid_t pid);

/* Prints the report; the parent has its filter already. Returns 0, or -1 having logged
 * the reason: standard output did not take the report, or /proc contradicts a process. */
int parent_confinement_print(const struct confinement *report,
    const struct options *options, const struct confinement_said *said);
