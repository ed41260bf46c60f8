/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest of the parent's own, for --print-confinement: a process in a new user and
 * network namespace that nothing but slirpd uses, and that ends with it.
 */
#pragma once

#include <sys/types.h>

struct guest {
	pid_t pid;       /* 0 for none */
	int hold_fd;     /* owned; the guest ends when it is closed; -1 for none */
	const char *bar; /* static text: why there is none; NULL where there is one */
};

/*
 * Makes the guest: in a user namespace of its own, or, where that is barred, with the
 * network namespace alone, which takes CAP_SYS_ADMIN. Where neither can be had, *guest
 * says why. Returns 0, or -1 with errno set when not even that could be found out.
 */
int parent_guest_make(struct guest *guest);

/* Ends it and waits for its end. */
void parent_guest_end(struct guest *guest);
