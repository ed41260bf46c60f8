/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slirpd-connector: makes the sockets of the guest's flows, those of forwards, and those that lead
 * to the host's name servers. It decides where they lead: the rule on the host's loopback and the
 * outbound addresses are here, and so is the table of forwards. It reads typed messages only, and
 * never a byte of a guest or of a peer.
 */

#include "base/exitcode.h"
#include "connector/control.h"
#include "connector/loop.h"
#include "ipc/fdtable.h"
#include "process/child.h"

int
main(void)
{
	/* Too large for a stack. Without initial values, so that the program's file has no copy
	 * of it. */
	static struct connector connector;

	connector.to_worker.fd = connector.to_resolver.fd = -1;
	connector.jail.fallback_userns_fd = -1;
	connector.answer.fd = connector.answer.answers_fd = connector.lent.fd = -1;
	child_begin(&connector.to_parent, IPC_ROLE_CONNECTOR, "slirpd-connect");
	chan_api_init(&connector.api, &connector.to_parent, IPC_ROLE_CONNECTOR,
	    IPC_CHILD_FD_API, NULL, NULL);
	if (connector_control_begin(&connector))
		connector_loop_run(&connector);
	return EXITCODE_OK;
}
