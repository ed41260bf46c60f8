/* SPDX-License-Identifier: BSD-2-Clause */
/* Notices that the parent is in another control group. */
#include "parent/cgroup/watch.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/validate.h"
#include "parent/output/report.h"

/* systemd mounts it here, and Podman expects it here. With control groups of version 1 there is
 * a tmpfs. */
#define CGROUP_ROOT "/sys/fs/cgroup"

#define OWN_CGROUP "/proc/self/cgroup"

/* The line of cgroup2 is the last one, after a line for each hierarchy of version 1. There are
 * at most 16 of these (CGROUP_MAX subsystems, and named ones), mostly short. */
#define OWN_CGROUP_TEXT_SIZE 4096
#define CGROUP2_LINE "0::"

/* Fixed times after ready. Podman asks systemd at once; the answer takes milliseconds, and
 * seconds on a machine that is just starting. */
static const uint32_t fixed_ms[] = { 100, 1000, 5000, 30000 };
#define N_FIXED (sizeof(fixed_ms) / sizeof(fixed_ms[0]))

/* Between the looks of a parent that is awake anyway. A look takes about 10 microseconds. */
#define LOOK_INTERVAL_MS 1000

/* Finds the path in the text of /proc/PID/cgroup. Returns whether there is one that fits, and
 * that leads to a control group below CGROUP_ROOT. */
static bool
find_cgroup2(char *text, char cgroup[IPC_CGROUP_SIZE])
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		size_t len;

		if (strncmp(line, CGROUP2_LINE, strlen(CGROUP2_LINE)) != 0)
			continue;
		line += strlen(CGROUP2_LINE);
		len = strlen(line);
		if (!rest || !ipc_is_cgroup(line) || len >= IPC_CGROUP_SIZE)
			return false;
		/* A message has zeros after its texts. */
		memset(cgroup, 0, IPC_CGROUP_SIZE);
		memcpy(cgroup, line, len);
		return true;
	}
	return false;
}

/* Reads the control group of this process. Returns false, with *cgroup unchanged, if it is not
 * known. */
static bool
look(char cgroup[IPC_CGROUP_SIZE])
{
	char text[OWN_CGROUP_TEXT_SIZE];
	autofd int fd = open(OWN_CGROUP, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd == -1)
		return false;
	len = read(fd, text, sizeof(text) - 1);
	if (len <= 0)
		return false;
	text[len] = '\0';
	return find_cgroup2(text, cgroup);
}

void
parent_cgroup_init(struct cgroup_watch *watch)
{
	*watch = (struct cgroup_watch){
		.root_fd = -1,
		.is_told = true,
		.next_look_ms = DEADLINE_NONE,
		.n_fixed = N_FIXED,
	};
}

void
parent_cgroup_open(struct cgroup_watch *watch)
{
	char procs[1 + IPC_CGROUP_SIZE + sizeof("/cgroup.procs")];
	autofd int root_fd = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char shown[LOG_TEXT_SIZE];
	struct statfs fs;

	if (root_fd == -1 || fstatfs(root_fd, &fs) == -1 ||
	    (unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC || !look(watch->cgroup)) {
		report_line(LOG_LEVEL_DEBUG,
		    "control groups of version 2 are not at " CGROUP_ROOT
		    ": slirpd does not look for a move into another one");
		return;
	}
	/* To move a process, one needs to write this file of the old group or of one above it
	 * (cgroups(7), "Delegation"). A user who may not write it in the old group may not
	 * write it above. */
	snprintf(procs, sizeof(procs), ".%s/cgroup.procs", watch->cgroup);
	if (faccessat(root_fd, procs, W_OK, 0) == 0) {
		watch->root_fd = take_fd(&root_fd);
		return;
	}
	text_escape(shown, sizeof(shown), watch->cgroup, strlen(watch->cgroup));
	report_line(LOG_LEVEL_DEBUG,
	    "slirpd's processes stay in their control group, which is not this user's: %s",
	    shown);
}

void
parent_cgroup_begin(struct cgroup_watch *watch, uint64_t now_ms)
{
	if (watch->cgroup[0] == '\0')
		return;
	watch->began_ms = now_ms;
	watch->n_fixed = 0;
	watch->next_look_ms = now_ms + LOOK_INTERVAL_MS;
}

void
parent_cgroup_note_child(struct cgroup_watch *watch)
{
	if (watch->has_moved)
		watch->is_told = false;
}

uint64_t
parent_cgroup_due_ms(const struct cgroup_watch *watch)
{
	uint64_t fixed = watch->n_fixed < N_FIXED
	    ? watch->began_ms + fixed_ms[watch->n_fixed]
	    : DEADLINE_NONE;

	return watch->is_told ? fixed : deadline_earlier(fixed, watch->next_look_ms);
}

bool
parent_cgroup_handle(struct cgroup_watch *watch, uint64_t now_ms)
{
	char cgroup[IPC_CGROUP_SIZE];

	if (now_ms < watch->next_look_ms && now_ms < parent_cgroup_due_ms(watch))
		return false;
	while (watch->n_fixed < N_FIXED &&
	    now_ms >= watch->began_ms + fixed_ms[watch->n_fixed])
		watch->n_fixed++;
	watch->next_look_ms = now_ms + LOOK_INTERVAL_MS;
	if (look(cgroup) && strcmp(cgroup, watch->cgroup) != 0) {
		memcpy(watch->cgroup, cgroup, sizeof(cgroup));
		watch->has_moved = true;
		watch->is_told = false;
	}
	return !watch->is_told;
}
