/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slirpd-connector: makes the sockets of the guest's TCP connections, and those that lead to the
 * host's name servers. It decides where they lead: the rule on the host's loopback and the outbound addresses are here. It reads typed
 * messages only, and never a byte of a guest or of a peer.
 */

#include "base/exitcode.h"
#include "connector/control.h"
#include "connector/loop.h"
#include "process/child.h"

int
main(void)
{
	struct connector connector = {
		.to_worker.fd = -1,
		.to_resolver.fd = -1,
		.jail.fallback_userns_fd = -1,
		.answer = { .fd = -1, .answers_fd = -1 },
		.lent.fd = -1,
	};

	child_begin(&connector.to_parent, IPC_ROLE_CONNECTOR, "slirpd-connect");
	if (connector_control_begin(&connector))
		connector_loop_run(&connector);
	return EXITCODE_OK;
}
