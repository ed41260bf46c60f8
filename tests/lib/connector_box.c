/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a connector for tests and fuzzers. */
#include "connector_box.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "connector/forward/api_requests.h"
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

/* Both ends have greeted. */
static void
open_channel(struct ipc_channel *ours, struct ipc_channel *theirs, enum ipc_role peer)
{
	int own_fd, peer_fd;

	if (ipc_channel_pair(&own_fd, &peer_fd) == -1)
		fatal("make a channel");
	ipc_channel_open(ours, own_fd, IPC_ROLE_CONNECTOR, peer);
	ipc_channel_open(theirs, peer_fd, peer, IPC_ROLE_CONNECTOR);
	if (ipc_channel_greet(ours) == -1 || ipc_channel_greet(theirs) == -1)
		fatal("greet");
	take_greeting(ours);
	take_greeting(theirs);
}

void
connector_box_open(struct connector_box *box)
{
	struct connector *connector = &box->connector;
	struct ipc_connector_start start;
	struct ipc_guest_addr6 guest;
	struct budget budget;

	memset(box, 0, sizeof(*box));
	box->api.fd = -1;
	connector->answer.fd = -1;
	/* As the parent leaves it at the start. */
	dup3(STDIN_FILENO, IPC_CHILD_FD_API, O_CLOEXEC);
	open_channel(&connector->to_parent, &box->parent, IPC_ROLE_PARENT);
	open_channel(&connector->to_worker, &box->worker, IPC_ROLE_SLIRP_WORKER);
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
		&connector->rules.network, &budget) == -1)
		fatal("get memory");
	ipc_sample_guest_addr6(&guest);
	connector->forwards.guest6 = guest.addr;
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
	ipc_channel_close(&box->parent);
	ipc_channel_close(&connector->to_worker);
	ipc_channel_close(&connector->to_parent);
	forwards_free(&connector->forwards);
	listeners_free(&connector->listeners);
	dup3(STDIN_FILENO, IPC_CHILD_FD_API, O_CLOEXEC);
}
