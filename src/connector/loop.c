/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of the connector: waits for messages of other processes. */
#include "connector/loop.h"

#include <errno.h>
#include <poll.h>

#include "base/fdio.h"
#include "connector/control.h"
#include "connector/lend.h"
#include "connector/requests.h"

static void
turn(struct connector *connector)
{
	struct pollfd set[] = {
		{ .fd = connector->to_parent.fd, .events = POLLIN },
		{
		    .fd = connector->to_worker.fd,
		    .events = connector->has_answer ? POLLOUT : POLLIN,
		},
		{
		    .fd = connector->to_resolver.fd,
		    .events = connector->has_lent ? POLLOUT : POLLIN,
		},
	};

	if (poll(set, sizeof(set) / sizeof(set[0]), -1) == -1) {
		if (errno != EINTR)
			fdio_pause();
		return;
	}
	if (set[0].revents)
		connector_control_receive(connector);
	if (set[1].revents && connector->has_answer)
		connector_requests_answer(connector);
	else if (set[1].revents)
		connector_requests_receive(connector);
	if (set[2].revents && connector->has_lent)
		connector_lend_answer(connector);
	else if (set[2].revents)
		connector_lend_receive(connector);
}

void
connector_loop_run(struct connector *connector)
{
	while (!connector->ended)
		turn(connector);
}
