/* SPDX-License-Identifier: BSD-2-Clause */
/* The stages of a jail, each entered as the parent orders. */
#include "confine/stages.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "confine/caps.h"
#include "confine/limits.h"
#include "confine/namespaces.h"
#include "confine/seccomp.h"

/* To be called with errno of the failure still set. Fatal if the stage is required; otherwise the
 * process goes on without it. */
static void
fail(enum ipc_jail_mode mode, const char *stage, const char *step)
{
	if (mode == IPC_JAIL_REQUIRED)
		fatalx("jail stage %s: %s: %s; --disable-%s does without", stage, step,
		    strerror(errno),
		    strcmp(stage, "seccomp") == 0 ? "seccomp" : "sandbox");
	log_warning("jail stage %s: %s: %s; going on without it", stage, step,
	    strerror(errno));
}

static void
reach(struct ipc_confined *reached, enum ipc_stage stage)
{
	reached->stages |= 1U << stage;
}

/* Tries in a child whether own namespaces can be made, at the cost of making them.
 * Returns 0, or -1 with errno set. */
static int
try_own_userns(int flags)
{
	int wait_status;
	pid_t pid = fork();

	if (pid == -1)
		return -1;
	if (pid == 0) {
		int failed = confine_ns_own(CLONE_NEWUSER | flags, NULL, NULL);

		_exit(failed ? errno : 0);
	}
	if (waitpid(pid, &wait_status, 0) == -1)
		return -1;
	errno = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : ECHILD;
	return errno == 0 ? 0 : -1;
}

/* Returns 0, or -1 with errno set and nothing changed. */
static int
make_own_userns(const struct ipc_confine *orders, int flags, const char **step)
{
	/* A failure after unshare(2) leaves a process without ids, which can only exit.
	 * In best-effort mode the process must go on, so a child tries first. */
	if (orders->sandbox_mode == IPC_JAIL_BEST_EFFORT && try_own_userns(flags) == -1)
		return -1;
	if (confine_ns_own(CLONE_NEWUSER | flags, NULL, step) == 0)
		return 0;
	if (strcmp(*step, "unshare") != 0)
		fatal("jail stage namespaces: %s", *step);
	return -1;
}

/* Logs the reason, in a line before the line of the failed stage. Keeps errno. */
static void
tell_bar(int flags)
{
	int error = errno;

	log_warning("jail stage namespaces: cannot make own namespaces: %s",
	    confine_ns_bar_str(confine_ns_bar(flags, error)));
	errno = error;
}

static void
enter_namespaces(const struct ipc_confine *orders, struct ipc_confined *reached,
    int flags, int fallback_userns_fd)
{
	const char *step = "unshare";

	if (orders->has_runas) {
		/* Real root does not need a user namespace. In one it would lose
		 * CAP_NET_BIND_SERVICE over the host's ports. */
		if (confine_ns_own(flags, NULL, &step) == -1) {
			tell_bar(flags);
			fail(orders->sandbox_mode, "namespaces", step);
			return;
		}
	} else if (make_own_userns(orders, flags, &step) == 0) {
		/* Forbid nested user namespaces, which would give capabilities. Ignore a
		 * failure: /proc/sys may be read-only, and the filter forbids them
		 * too. */
		(void)confine_ns_bar_nested();
	} else {
		tell_bar(CLONE_NEWUSER | flags);
		if (fallback_userns_fd == -1) {
			fail(orders->sandbox_mode, "namespaces", "unshare");
			return;
		}
		if (confine_ns_join_user(fallback_userns_fd) == -1) {
			fail(orders->sandbox_mode, "namespaces",
			    "join the guest's user namespace instead");
			return;
		}
		if (confine_ns_own(flags, NULL, &step) == -1) {
			tell_bar(flags);
			fail(orders->sandbox_mode, "namespaces",
			    "make others in the guest's user namespace");
			return;
		}
		log_info(
		    "jail stage namespaces: joined the guest's user namespace instead");
	}
	reach(reached, IPC_STAGE_namespaces);
}

void
confine_stage_namespaces(const struct ipc_confine *orders, struct ipc_confined *reached,
    int flags, int fallback_userns_fd)
{
	if (orders->sandbox_mode != IPC_JAIL_OFF)
		enter_namespaces(orders, reached, flags, fallback_userns_fd);
	/* Query for the report now: the new root has no /proc. */
	(void)confine_ns_query(&reached->namespaces);
}

void
confine_stage_namespaces_same_user(const struct ipc_confine *orders,
    struct ipc_confined *reached, int flags)
{
	const char *step = "unshare";

	if (orders->sandbox_mode != IPC_JAIL_OFF) {
		if (confine_ns_own(flags, NULL, &step) == 0)
			reach(reached, IPC_STAGE_namespaces);
		else if (errno == EPERM)
			log_info("jail stages namespaces and root: left out, because a "
				 "user namespace would take the caller's "
				 "CAP_NET_BIND_SERVICE away");
		else
			fail(orders->sandbox_mode, "namespaces", step);
	}
	(void)confine_ns_query(&reached->namespaces);
}

void
confine_stage_root(const struct ipc_confine *orders, struct ipc_confined *reached)
{
	const char *step;
	bool is_chroot;

	if (!(reached->stages & (1U << IPC_STAGE_namespaces)))
		return;
	if (confine_root_replace(&step, &is_chroot) == -1) {
		fail(orders->sandbox_mode, "root", step);
		return;
	}
	if (is_chroot)
		log_info("jail stage root: pivot_root cannot replace the initramfs; "
			 "chroot hides it instead");
	reach(reached, IPC_STAGE_root);
}

void
confine_stage_capabilities(const struct ipc_confine *orders, struct ipc_confined *reached,
    uint64_t keep)
{
	int failed;

	if (orders->has_runas)
		failed = confine_caps_keep(keep, orders->runas_uid, orders->runas_gid);
	else
		failed = confine_caps_drop();
	if (failed)
		fail(orders->sandbox_mode, "capabilities", "give up capabilities");
	else
		reach(reached, IPC_STAGE_capabilities);
}

void
confine_stage_kept_capabilities(const struct ipc_confine *orders,
    struct ipc_confined *reached, uint64_t needed)
{
	if (confine_caps_reduce(needed) == -1)
		fail(orders->sandbox_mode, "capabilities", "give up capabilities");
	else
		reach(reached, IPC_STAGE_capabilities);
}

void
confine_stage_limits(const struct ipc_confine *orders, struct ipc_confined *reached,
    unsigned int limits)
{
	if (confine_limits_set(limits) == -1)
		fail(orders->sandbox_mode, "limits", "set limits");
	else
		reach(reached, IPC_STAGE_limits);
}

void
confine_stage_all_limits(const struct ipc_confine *orders, struct ipc_confined *reached)
{
	unsigned int limits = CONFINE_LIMITS_ALL;

#ifdef SLIRPD_ROLES_KEEP_STDERR
	/* A sanitizer reads /proc, starts a symbolizer, and writes to a file. */
	limits &= ~(unsigned int)(CONFINE_LIMIT_NO_FILE_GROWTH |
	    CONFINE_LIMIT_NOT_DUMPABLE | CONFINE_LIMIT_NO_PROCESSES);
#endif
	confine_stage_limits(orders, reached, limits);
}

void
confine_stage_landlock(const struct ipc_confine *orders, struct ipc_confined *reached,
    int writable_dir_fd, unsigned int deny)
{
	int abi = confine_landlock_restrict(writable_dir_fd, deny);

	/* A kernel without Landlock is not a failure, even if the stage is required. */
	if (abi == -1)
		fail(orders->sandbox_mode, "landlock", "restrict files");
	else if (abi > 0)
		reach(reached, IPC_STAGE_landlock);
	reached->landlock_abi = abi > 0 ? (uint32_t)abi : 0;
}

void
confine_stage_seccomp(const struct ipc_confine *orders, struct ipc_confined *reached,
    const struct sock_filter *filter, size_t n_instructions,
    const unsigned short *self_at, uint32_t n_calls)
{
	struct confine_caps caps;

	/* Query the capabilities before the filter is installed: no policy allows
	 * capget(2). */
	if (confine_caps_query(&caps) == 0) {
		reached->cap_effective = caps.effective;
		reached->cap_bounding = caps.bounding;
	}
	if (orders->seccomp_mode == IPC_JAIL_OFF)
		return;
	/* The filter needs no_new_privs, which is not set yet without the sandbox. */
	if (confine_limits_set(CONFINE_LIMIT_NO_NEW_PRIVS) == -1 ||
	    confine_seccomp_install(filter, n_instructions, self_at) == -1) {
		fail(orders->seccomp_mode, "seccomp", "install the filter");
		return;
	}
	reach(reached, IPC_STAGE_seccomp);
	reached->n_calls = n_calls;
}

void
confine_stages_limited(const struct ipc_confine *orders, struct ipc_confined *reached,
    const struct sock_filter *filter, size_t n_instructions,
    const unsigned short *self_at, uint32_t n_calls)
{
	reach(reached, IPC_STAGE_descriptors);
	(void)confine_ns_query(&reached->namespaces);
	if (orders->sandbox_mode != IPC_JAIL_OFF)
		confine_stage_limits(orders, reached,
		    CONFINE_LIMIT_NO_NEW_PRIVS | CONFINE_LIMIT_NOT_DUMPABLE |
			CONFINE_LIMIT_NO_CORE | CONFINE_LIMIT_NO_LOCKED_MEMORY);
	confine_stage_seccomp(orders, reached, filter, n_instructions, self_at, n_calls);
}
