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
 * A handler is worker_on_<name>(context, payload, adopt_fd), without the parts that the
 * row does not carry. A row without a handler does not link.
 */
#pragma once

#include "base/auto.h"
#include "ipc/channel.h"

#define IPC_DECLARE_HANDLER(prefix, context, name, carries, when, meaning) \
	IPC_DECLARE_HANDLER_##carries(prefix, context, name)
#define IPC_DECLARE_HANDLER_NOTHING(prefix, context, name) \
	void prefix##_on_##name(context *);
#define IPC_DECLARE_HANDLER_FD(prefix, context, name) \
	void prefix##_on_##name(context *, int adopt_fd);
#define IPC_DECLARE_HANDLER_PAYLOAD(prefix, context, name) \
	void prefix##_on_##name(context *, const struct ipc_##name *);
#define IPC_DECLARE_HANDLER_PAYLOAD_FD(prefix, context, name) \
	void prefix##_on_##name(context *, const struct ipc_##name *, int adopt_fd);

#define IPC_CALL_HANDLER(prefix, context, message, name, carries, when, meaning) \
	case IPC_MSG_##name: \
		IPC_CALL_HANDLER_##carries(prefix, context, message, name) break;
#define IPC_CALL_HANDLER_NOTHING(prefix, context, message, name) \
	prefix##_on_##name(context);
#define IPC_CALL_HANDLER_FD(prefix, context, message, name) \
	prefix##_on_##name(context, take_fd(&(message)->fd));
#define IPC_CALL_HANDLER_PAYLOAD(prefix, context, message, name) \
	prefix##_on_##name(context, &(message)->payload.name);
#define IPC_CALL_HANDLER_PAYLOAD_FD(prefix, context, message, name) \
	prefix##_on_##name(context, &(message)->payload.name, take_fd(&(message)->fd));
