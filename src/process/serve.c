/* SPDX-License-Identifier: BSD-2-Clause */
/* The receive loop of every channel. */
#include "process/serve.h"

enum serve_end
serve_receive(struct ipc_channel *channel, int n_max, const struct serve *serve,
    void *ctx, struct serve_violation *violation)
{
	for (int i = 0; i < n_max && channel->fd != -1; i++) {
		struct ipc_message msg;
		enum ipc_outcome outcome =
		    ipc_channel_recv(channel, &msg, &violation->why);

		violation->row =
		    msg.id < IPC_MSG_N ? ipc_descriptions[msg.id].name : "message";
		if (outcome == IPC_OUTCOME_NONE)
			return SERVE_OPEN;
		if (outcome == IPC_OUTCOME_CLOSED)
			return SERVE_CLOSED;
		if (outcome == IPC_OUTCOME_VIOLATION ||
		    (outcome == IPC_OUTCOME_SHORTAGE && !serve->miss))
			return SERVE_VIOLATED;
		if (outcome == IPC_OUTCOME_SHORTAGE)
			serve->miss(ctx, &msg, violation->why);
		else if (!serve->take(ctx, &msg))
			return SERVE_OPEN;
	}
	return SERVE_OPEN;
}
