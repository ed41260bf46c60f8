/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest of --print-confinement: a process in a new user and network namespace, which
 * only slirpd uses. It ends with slirpd. */
#pragma once

#include <sys/types.h>

struct guest {
	pid_t pid;       /* 0 for none */
	int hold_fd;     /* owned; its close ends the guest; -1 for none */
	const char *bar; /* static text: the reason for no guest; NULL if there is one */
};

/* Makes the guest in a user namespace of its own. If that cannot be made, makes the
 * network namespace alone, which needs CAP_SYS_ADMIN. If neither can be made, guest->bar
 * has the reason. Returns 0, or -1 with errno set if another step failed. */
int parent_guest_make(struct guest *guest);

/* Ends the guest and waits for its exit. */
void parent_guest_end(struct guest *guest);
