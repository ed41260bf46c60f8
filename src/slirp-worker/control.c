/* SPDX-License-Identifier: BSD-2-Clause */
/* Receives the parent's messages and answers them. */
#include "slirp-worker/control.h"

#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "ipc/dispatch.h"
#include "process/child.h"
#include "process/peer.h"
#include "slirp-worker/chan_connector.h"
#include "slirp-worker/setup.h"

#define DECLARE(...) IPC_DECLARE_HANDLER(worker, struct worker, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(worker, worker, msg, __VA_ARGS__)
IPC_ROWS_PARENT_TO_CHILD(DECLARE)
IPC_ROWS_PARENT_TO_JAILED(DECLARE)
IPC_ROWS_PARENT_TO_SLIRP_WORKER(DECLARE)

void
worker_control_introduce(struct worker *worker)
{
	struct ipc_about about = { .config_version_max = stack_config_version_max() };

	snprintf(about.libslirp_version, sizeof(about.libslirp_version), "%s",
	    stack_library_version());
	child_check_sent(ipc_send_about(&worker->to_parent, &about),
	    "report the version of libslirp");
}

void
worker_on_confine(struct worker *worker, const struct ipc_confine *msg)
{
	worker->jail.orders = *msg;
}

void
worker_on_fallback_userns(struct worker *worker, int adopt_fd)
{
	worker->jail.fallback_userns_fd = adopt_fd;
}

void
worker_on_ping(struct worker *worker)
{
	/* If the parent's queue is full, the parent has not heard of others either, and asks
	 * again. */
	(void)ipc_send_pong(&worker->to_parent);
}

/* Enters the jail, and reports the jail to the parent. */
static void
confine(struct worker *worker)
{
	struct jail *jail = &worker->jail;

	jail_enter(jail);
	/* The kernel clears the parent-death signal when the credentials change
	 * (prctl(2)): set it again. */
	child_die_with_parent(&worker->to_parent);
	jail_lock(jail);
	child_check_sent(ipc_send_confined(&worker->to_parent, &jail->reached),
	    "report the jail to the parent");
}

void
worker_on_start(struct worker *worker, const struct ipc_start *msg, int adopt_fd)
{
	setup_make(worker, msg, adopt_fd);
	confine(worker);
	child_check_sent(ipc_send_ready(&worker->to_parent),
	    "report that the worker is ready");
	ipc_channel_set_running(&worker->to_parent);
}

void
worker_on_get_stats(struct worker *worker)
{
	/* If the parent's queue is full, the parent does not wait for the answer. */
	(void)ipc_send_stats(&worker->to_parent, worker_stats(worker));
}

void
worker_on_peer(struct worker *worker, const struct ipc_peer *msg, int adopt_fd)
{
	switch (msg->role) {
	case IPC_ROLE_API:
		chan_api_open(&worker->api, adopt_fd, msg->number);
		break;
	case IPC_ROLE_CONNECTOR:
		chan_connector_open(worker, adopt_fd, msg);
		break;
	case IPC_ROLE_RESOLVER:
		chan_resolver_open(worker, adopt_fd, msg);
		break;
	default:
		fatalx("message from the parent: peer: role");
	}
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct worker *worker = ctx;

	switch (msg->id) {
		IPC_ROWS_PARENT_TO_CHILD(CALL)
		IPC_ROWS_PARENT_TO_JAILED(CALL)
		IPC_ROWS_PARENT_TO_SLIRP_WORKER(CALL)
	default:
		break;
	}
	return true;
}

bool
worker_control_wait_start(struct worker *worker)
{
	struct ipc_message msg;

	while (!worker->stack) {
		if (!child_wait(&worker->to_parent, &msg))
			return false;
		take(worker, &msg);
	}
	return true;
}

/* No other message brings a descriptor in service. The parent sends the channel again later. */
static void
miss_peer(void *ctx, const struct ipc_message *msg, const char *why)
{
	struct worker *worker = ctx;

	(void)why;
	peer_report_missed(&worker->to_parent, &msg->payload.peer);
}

void
worker_control_receive(struct worker *worker)
{
	static const struct serve from_parent = {
		.take = take,
		.miss = miss_peer,
	};

	if (!child_receive(&worker->to_parent, &from_parent, worker))
		worker->ended = true;
}

void
worker_control_tap_gone(struct worker *worker, int error)
{
	struct ipc_tap_gone gone = { .error = (uint32_t)error };

	tapio_close(&worker->tap);
	child_check_sent(ipc_send_tap_gone(&worker->to_parent, &gone),
	    "report that the TAP is gone");
}
