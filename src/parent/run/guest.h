/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest of the parent's own: a child process in new namespaces. For --print-confinement it only
 * waits there; for `slirpd run` it becomes the command.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "confine/namespaces.h"

/* What the child is made for. Everything is borrowed. */
struct guest_work {
	int more_namespaces; /* flags of unshare(2), beside user and network namespace */
	const struct confine_ids *inside; /* NULL: it keeps the ids that it has */
	/* A network namespace alone will do, if there can be no user namespace. */
	bool may_lack_userns;
	/* In the child, in its namespaces, before the guest counts as made; NULL: nothing to do.
	 * Returns 0, or -1 with errno and *step set, a static text. */
	int (*prepare)(const void *context, const char **step);
	/* In the child, when it is released; does not return. NULL: it is never released. */
	void (*begin)(const void *context);
	const void *context; /* of both */
};

struct guest {
	pid_t pid;       /* 0 for none */
	int hold_fd;     /* owned; its close ends the guest; -1 for none */
	const char *bar; /* static text: the reason for no guest; NULL if there is one */
};

/*
 * Makes the guest, which dies with the parent. If the system lets it have no namespaces, *guest
 * says why. Returns 0, or -1 with errno set, and *step to a static text, what was tried.
 */
int parent_guest_make(struct guest *guest, const struct guest_work *work,
    const char **step);

/* Lets it do its work. From now on only its work, or a signal, ends it. Returns 0, or -1 with errno
 * set. */
int parent_guest_release(struct guest *guest);

/* Ends a guest that has not been released, and waits for its end. */
void parent_guest_end(struct guest *guest);
