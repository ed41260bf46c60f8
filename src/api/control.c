/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles the messages of the parent: descriptors, orders for the jail, the end. */
#include "api/control.h"

#include <fcntl.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/peer.h"
#include "base/auto.h"
#include "base/log.h"
#include "ipc/dispatch.h"
#include "ipc/fdtable.h"
#include "process/child.h"

#define DECLARE(...) IPC_DECLARE_HANDLER(api, struct api, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(api, api, msg, __VA_ARGS__)
IPC_ROWS_PARENT_TO_CHILD(DECLARE)
IPC_ROWS_PARENT_TO_JAILED(DECLARE)

void
api_on_confine(struct api *api, const struct ipc_confine *msg)
{
	api->jail.orders = *msg;
}

void
api_on_fallback_userns(struct api *api, int adopt_fd)
{
	api->jail.fallback_userns_fd = adopt_fd;
}

void
api_on_ping(struct api *api)
{
	/* If the parent's queue is full, the parent has not heard of others either, and asks
	 * again. */
	(void)ipc_send_pong(&api->to_parent);
}

/* Moves a descriptor to its fixed number in ipc/fdtable.h. Returns the number. */
static int
place(int adopt_fd, enum ipc_child_fd number)
{
	autofd int fd = adopt_fd;

	if (dup3(fd, number, O_CLOEXEC) == -1)
		fatal("give descriptor %d its number %d", fd, number);
	return number;
}

void
api_on_peer(struct api *api, const struct ipc_peer *msg, int adopt_fd)
{
	switch (msg->role) {
	case IPC_ROLE_SLIRP_WORKER:
		api_peer_open(api, &api->worker, adopt_fd, IPC_CHILD_FD_PEER);
		break;
	case IPC_ROLE_CONNECTOR:
		api_peer_open(api, &api->connector, adopt_fd, IPC_CHILD_FD_CONNECTOR);
		break;
	default:
		fatalx("message from the parent: peer: role");
	}
}

/* No other message brings a descriptor in service. The next api has room for it. */
static void
miss_peer(void *ctx, const struct ipc_message *msg, const char *why)
{
	(void)ctx;
	fatalx("message from the parent: %s: %s", ipc_descriptions[msg->id].name, why);
}

void
api_on_listen(struct api *api, const struct ipc_listen *msg, int adopt_fd)
{
	api_policy_init(&api->policy, msg);
	api->listen_fd = place(adopt_fd, IPC_CHILD_FD_LISTEN);
	jail_enter(&api->jail);
	/* The namespaces have changed, and the kernel has cleared the setting. */
	child_die_with_parent(&api->to_parent);
	jail_lock(&api->jail);
	child_check_sent(ipc_send_confined(&api->to_parent, &api->jail.reached),
	    "tell how I am confined");
	child_check_sent(ipc_send_api_ready(&api->to_parent),
	    "say that clients are served");
	ipc_channel_set_running(&api->to_parent);
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct api *api = ctx;

	switch (msg->id) {
		IPC_ROWS_PARENT_TO_CHILD(CALL)
		IPC_ROWS_PARENT_TO_JAILED(CALL)
		IPC_ROWS_PARENT_TO_API(CALL)
		IPC_ROWS_POLICY(CALL)
	default:
		break;
	}
	return true;
}

bool
api_control_begin(struct api *api)
{
	struct ipc_message msg;

	while (api->listen_fd == -1) {
		if (!child_wait(&api->to_parent, &msg))
			return false;
		take(api, &msg);
	}
	return true;
}

void
api_control_receive(struct api *api)
{
	static const struct serve from_parent = { .take = take, .miss = miss_peer };

	if (!child_receive(&api->to_parent, &from_parent, api))
		api->ended = true;
}
