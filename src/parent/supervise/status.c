/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers for others: the status for the api, the counters for a user. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "parent/cmdline/network.h"
#include "parent/output/report.h"
#include "parent/supervise/supervisor.h"

void
parent_on_stats(struct supervisor *sv, const struct ipc_stats *msg)
{
	report_stats(msg, sv->forwards->n);
}

void
parent_on_get_status(struct supervisor *sv, const struct ipc_get_status *msg)
{
	struct ipc_status status = {
		.request = msg->request,
		.about = sv->about,
		.uptime_ms = sv->ready_at_ms ? clock_now_ms() - sv->ready_at_ms : 0,
		.pids[IPC_ROLE_PARENT] = (uint32_t)getpid(),
		.n_forwards = sv->forwards->n,
	};

	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++) {
		status.pids[i] = (uint32_t)sv->services[i].child.pid;
		status.n_restarts[i] = sv->services[i].n_restarts;
	}

	network_fill(&status.network, sv->options);
	memcpy(status.confined, sv->confined, sizeof(status.confined));
	if (sv->options->tap_name)
		snprintf(status.tap_name, sizeof(status.tap_name), "%s",
		    sv->options->tap_name);
	/* If the queue is full, the status is lost: the api asks faster than it reads. */
	(void)ipc_send_status(supervisor_channel(sv, IPC_ROLE_API), &status);
}
