/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a connector for tests and fuzzers. */
#include "connector_box.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "connector/forward/api_requests.h"
#include "connector/lend.h"
#include "connector/policy.h"
#include "connector/requests.h"
#include "ipc/fdtable.h"
#include "ipc_samples.h"

/* Takes the greeting of the other end. */
static void
take_greeting(struct ipc_channel *channel)
{
	struct ipc_message msg;
	const char *why;

	if (ipc_channel_recv(channel, &msg, &why) != IPC_OUTCOME_MESSAGE ||
	    msg.id != IPC_MSG_hello)
		fatalx("no greeting came");
}

/* Opens the peer's end of a new channel. Returns the connector's. */
static int
open_end(struct ipc_channel *theirs, enum ipc_role peer)
{
	int own_fd, peer_fd;

	ipc_channel_close(theirs);
	if (ipc_channel_pair(&own_fd, &peer_fd) == -1)
		fatal("make a channel");
	ipc_channel_open(theirs, peer_fd, peer, IPC_ROLE_CONNECTOR);
	if (ipc_channel_greet(theirs) == -1)
		fatal("greet");
	return own_fd;
}

static void
open_parent(struct connector_box *box)
{
	struct ipc_channel *ours = &box->connector.to_parent;

	ipc_channel_open(ours, open_end(&box->parent, IPC_ROLE_PARENT),
	    IPC_ROLE_CONNECTOR, IPC_ROLE_PARENT);
	if (ipc_channel_greet(ours) == -1)
		fatal("greet");
	take_greeting(ours);
	take_greeting(&box->parent);
}

void
connector_box_open_worker(struct connector_box *box)
{
	const struct ipc_peer peer = { .role = IPC_ROLE_SLIRP_WORKER,
		.number = box->n_peers++ };

	connector_requests_begin(&box->connector,
	    open_end(&box->worker, IPC_ROLE_SLIRP_WORKER), &peer);
	take_greeting(&box->connector.to_worker);
	take_greeting(&box->worker);
}

void
connector_box_open_resolver(struct connector_box *box)
{
	const struct ipc_peer peer = { .role = IPC_ROLE_RESOLVER,
		.number = box->n_peers++ };

	connector_lend_begin(&box->connector, open_end(&box->resolver, IPC_ROLE_RESOLVER),
	    &peer);
	take_greeting(&box->connector.to_resolver);
	take_greeting(&box->resolver);
}

/* As the parent leaves the numbers of channels at the start, and peers at their end. */
static void
reserve_numbers(void)
{
	dup3(STDIN_FILENO, IPC_CHILD_FD_PEER, O_CLOEXEC);
	dup3(STDIN_FILENO, IPC_CHILD_FD_API, O_CLOEXEC);
	dup3(STDIN_FILENO, IPC_CHILD_FD_RESOLVER, O_CLOEXEC);
}

void
connector_box_open(struct connector_box *box)
{
	struct connector *connector = &box->connector;
	struct ipc_connector_start start;
	struct ipc_guest_addr6 guest;
	struct budget budget;
	struct ipc_message msg;
	const char *why;

	memset(box, 0, sizeof(*box));
	box->parent.fd = box->worker.fd = box->resolver.fd = box->api.fd = -1;
	connector->to_worker.fd = connector->to_resolver.fd = -1;
	connector->answer.fd = connector->answer.answers_fd = connector->lent.fd = -1;
	reserve_numbers();
	open_parent(box);
	ipc_channel_set_running(&box->parent);
	chan_api_init(&connector->api, &connector->to_parent, IPC_ROLE_CONNECTOR,
	    IPC_CHILD_FD_API, NULL, NULL);
	ipc_sample_connector_start(&start);
	connector->rules = (struct connector_rules){
		.network = start.network,
		.nameservers = start.nameservers,
	};
	budget_init(&budget, budget_raise_files(), budget_read_ephemeral());
	if (listeners_init(&connector->listeners, !start.network.allow_host_loopback) ==
		-1 ||
	    forwards_init(&connector->forwards, &connector->listeners,
		&connector->rules.network, &budget) == -1 ||
	    flows_init(&connector->flows) == -1)
		fatal("get memory");
	connector_policy_init(connector, &start);
	connector_box_open_worker(box);
	listeners_tell(&connector->listeners, &connector->to_worker, 0);
	if (ipc_channel_recv(&box->worker, &msg, &why) != IPC_OUTCOME_MESSAGE ||
	    msg.id != IPC_MSG_listeners_told)
		fatalx("no listeners_told came");
	ipc_sample_guest_addr6(&guest);
	connector->forwards.guest6 = guest.addr;
}

void
connector_box_allow_loopback(struct connector_box *box)
{
	box->connector.rules.network.allow_host_loopback = 1;
}

void
connector_box_open_api(struct connector_box *box)
{
	int api_end_fd, connector_end_fd;

	ipc_channel_close(&box->api);
	if (ipc_channel_pair(&connector_end_fd, &api_end_fd) == -1)
		fatal("make a channel");
	ipc_channel_open(&box->api, api_end_fd, IPC_ROLE_API, IPC_ROLE_CONNECTOR);
	chan_api_open(&box->connector.api, connector_end_fd, ++box->n_apis);
	if (ipc_channel_greet(&box->api) == -1)
		fatal("greet the connector");
	take_greeting(&box->api);
	connector_api_receive(&box->connector);
}

void
connector_box_close(struct connector_box *box)
{
	struct connector *connector = &box->connector;

	ipc_channel_close(&box->api);
	ipc_channel_close(&box->worker);
	ipc_channel_close(&box->resolver);
	ipc_channel_close(&box->parent);
	ipc_channel_close(&connector->to_parent);
	connector_policy_free();
	forwards_free(&connector->forwards);
	listeners_free(&connector->listeners);
	flow_table_free(&connector->flows.table);
	flow_table_free(&connector->flows.ends);
	reserve_numbers();
}
