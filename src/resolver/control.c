/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles the messages of the parent: orders for the jail, name servers, the end. */
#include "resolver/control.h"

#include "base/log.h"
#include "ipc/dispatch.h"
#include "process/child.h"
#include "resolver/policy.h"
#include "resolver/worker.h"

#define DECLARE(...) IPC_DECLARE_HANDLER(resolver, struct resolver, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(resolver, resolver, msg, __VA_ARGS__)
IPC_ROWS_PARENT_TO_CHILD(DECLARE)
IPC_ROWS_PARENT_TO_JAILED(DECLARE)
IPC_ROWS_PARENT_TO_SERVER_USERS(DECLARE)
IPC_ROWS_PARENT_TO_RESOLVER(DECLARE)
IPC_ROWS_POLICY(DECLARE)

void
resolver_on_confine(struct resolver *resolver, const struct ipc_confine *msg)
{
	resolver->jail.orders = *msg;
}

void
resolver_on_fallback_userns(struct resolver *resolver, int adopt_fd)
{
	resolver->jail.fallback_userns_fd = adopt_fd;
}

void
resolver_on_ping(struct resolver *resolver)
{
	/* If the parent's queue is full, the parent has not heard of others either, and asks
	 * again. */
	(void)ipc_send_pong(&resolver->to_parent);
}

void
resolver_on_peer(struct resolver *resolver, const struct ipc_peer *msg, int adopt_fd)
{
	switch (msg->role) {
	case IPC_ROLE_SLIRP_WORKER:
		worker_begin(resolver, adopt_fd);
		break;
	case IPC_ROLE_CONNECTOR:
		lender_begin(resolver, adopt_fd);
		break;
	default:
		fatalx("message from the parent: peer: role");
	}
}

/* No other message brings a descriptor in service. The next resolver has room for it. */
static void
miss_peer(void *ctx, const struct ipc_message *msg, const char *why)
{
	(void)ctx;
	fatalx("message from the parent: %s: %s", ipc_descriptions[msg->id].name, why);
}

void
resolver_on_resolver_start(struct resolver *resolver,
    const struct ipc_resolver_start *msg)
{
	servers_set(&resolver->servers, &msg->nameservers);
	resolver_policy_init(resolver, msg);
	jail_enter(&resolver->jail);
	/* The namespaces have changed, and the kernel has cleared the setting. */
	child_die_with_parent(&resolver->to_parent);
	jail_lock(&resolver->jail);
	child_check_sent(ipc_send_confined(&resolver->to_parent, &resolver->jail.reached),
	    "report the jail to the parent");
	child_check_sent(ipc_send_resolver_ready(&resolver->to_parent),
	    "report that the resolver is ready");
	ipc_channel_set_running(&resolver->to_parent);
	resolver->is_ready = true;
}

void
resolver_on_nameservers(struct resolver *resolver, const struct ipc_nameservers *msg)
{
	servers_set(&resolver->servers, msg);
	if (resolver->judge != NULL)
		dns_cache_flush(&resolver->judge->cache);
	question_restart_all(resolver);
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct resolver *resolver = ctx;

	switch (msg->id) {
		IPC_ROWS_PARENT_TO_CHILD(CALL)
		IPC_ROWS_PARENT_TO_JAILED(CALL)
		IPC_ROWS_PARENT_TO_SERVER_USERS(CALL)
		IPC_ROWS_PARENT_TO_RESOLVER(CALL)
		IPC_ROWS_POLICY(CALL)
	default:
		break;
	}
	return true;
}

bool
resolver_control_begin(struct resolver *resolver)
{
	struct ipc_message msg;

	while (!resolver->is_ready) {
		if (!child_wait(&resolver->to_parent, &msg))
			return false;
		take(resolver, &msg);
	}
	return true;
}

void
resolver_control_receive(struct resolver *resolver)
{
	static const struct serve from_parent = { .take = take, .miss = miss_peer };

	if (!child_receive(&resolver->to_parent, &from_parent, resolver))
		resolver->ended = true;
}
