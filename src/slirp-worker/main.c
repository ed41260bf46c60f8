/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slirpd-slirp-worker: the only process that handles packets.
 *
 * It holds the TAP, the host's sockets and a channel to the parent. A guest that takes
 * over this process stays in its jail.
 */

#include "base/exitcode.h"
#include "process/child.h"
#include "slirp-worker/control.h"
#include "slirp-worker/loop.h"

int
main(void)
{
	/* Too large for a stack. All zeros, so that its pages are not in the program. */
	static struct worker worker;

	worker.to_connector.fd = worker.to_resolver.fd = -1;
	worker.tap.fd = worker.tap.listen_fd = worker.tap.reserve_fd = -1;
	worker.jail.fallback_userns_fd = -1;
	child_begin(&worker.to_parent, IPC_ROLE_SLIRP_WORKER, "slirpd-worker");
	worker_control_introduce(&worker);
	if (!worker_control_wait_start(&worker))
		return EXITCODE_OK;
	worker_loop_run(&worker);
	/* The kernel frees all faster than the engines, which would walk each flow; the parent
	 * waits for half a second. */
	return EXITCODE_OK;
}
