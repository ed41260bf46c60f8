/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slirpd-slirp-worker: the one process that packets touch. It holds the TAP and the
 * host's sockets, and a channel to the parent. What a guest can send, however it is
 * made, ends here.
 */

#include "base/exitcode.h"
#include "process/child.h"
#include "slirp-worker/control.h"
#include "slirp-worker/loop.h"

#ifdef SLIRPD_ROLES_KEEP_STDERR
/* A sanitizer's question. libslirp does not free packets that still wait for an ARP
 * answer when it ends, and the jail has no room for the process that looks for leaks. */
int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return 1;
}
#endif

int
main(void)
{
	/* Too large for a stack. */
	static struct worker worker = {
		.to_api.fd = -1,
		.tap = { .fd = -1, .listen_fd = -1, .reserve_fd = -1 },
		.jail = { .fallback_userns_fd = -1, .resolv_copy_fd = -1 },
	};

	ipc_child_begin(&worker.to_parent, IPC_ROLE_SLIRP_WORKER, "slirpd-worker");
	worker_control_introduce(&worker);
	if (!worker_control_wait_start(&worker))
		return EXITCODE_OK;
	worker_loop_run(&worker);
	/* The kernel frees all faster than libslirp, which would walk each connection's buffers;
	 * the parent waits for half a second. */
	return EXITCODE_OK;
}
