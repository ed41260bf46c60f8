/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls the handler of a received message. A role declares its handlers from the lists of
 * rows that it receives, and calls them in a switch made of the same lists:
 *
 * 	#define DECLARE(...) IPC_DECLARE_HANDLER(worker, struct worker, __VA_ARGS__)
 * 	IPC_ROWS_PARENT_TO_SLIRP_WORKER(DECLARE)
 *
 * 	#define CALL(...) IPC_CALL_HANDLER(worker, worker_context, message, __VA_ARGS__)
 * 	switch (message->id) { IPC_ROWS_PARENT_TO_SLIRP_WORKER(CALL) default: ... }
 *
 * A handler is worker_on_<name>(context, payload), or worker_on_<name>(context, payload,
 * adopt_fd) if the row has a descriptor. A row without a handler does not link.
 */
#pragma once

#include "base/auto.h"
#include "ipc/channel.h"

#define IPC_DECLARE_HANDLER(prefix, context, name, n_fds, when, meaning) \
	IPC_DECLARE_HANDLER_##n_fds(prefix, context, name)
#define IPC_DECLARE_HANDLER_0(prefix, context, name) \
	void prefix##_on_##name(context *, const struct ipc_##name *);
#define IPC_DECLARE_HANDLER_1(prefix, context, name) \
	void prefix##_on_##name(context *, const struct ipc_##name *, int adopt_fd);

#define IPC_CALL_HANDLER(prefix, context, message, name, n_fds, when, meaning) \
	case IPC_MSG_##name: \
		IPC_CALL_HANDLER_##n_fds(prefix, context, message, name) break;
#define IPC_CALL_HANDLER_0(prefix, context, message, name) \
	prefix##_on_##name(context, &(message)->payload.name);
#define IPC_CALL_HANDLER_1(prefix, context, message, name) \
	prefix##_on_##name(context, &(message)->payload.name, take_fd(&(message)->fd));
