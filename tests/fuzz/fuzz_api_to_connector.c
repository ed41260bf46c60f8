/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An api that sends anything to the connector: real dispatch, real ports of a network
 * namespace. Each input is datagrams: two bytes of length, then a header and a
 * payload; an odd length sends a descriptor along. Nothing may crash, every answer is one
 * that the api takes, the table stays in order, and at the end no descriptor is left.
 */
#include <assert.h>
#include <stdint.h>
#include <unistd.h>

#include "connector/forward/api_requests.h"
#include "connector_box.h"
#include "datagram.h"
#include "harness.h"
#include "own_netns.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* So that a range of 65535 ports comes to its end, and the undoing of it. */
#define N_FILES_MAX 128

static struct connector_box box;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	own_netns_enter();
	harness_begin(N_FILES_MAX);
	return 0;
}

static void
check_table(void)
{
	const struct forwards *forwards = &box.connector.forwards;
	uint32_t last_id = 0, n_ports = 0;

	for (uint32_t i = 0; i < forwards->table->n; i++) {
		const struct ipc_forward_entry *entry = &forwards->table->entries[i];
		const struct ipc_forward *forward = &entry->forward;
		uint32_t n =
		    (uint32_t)forward->host_port_last - forward->host_port_first + 1;

		assert(entry->id > last_id && entry->id <= forwards->last_id);
		last_id = entry->id;
		n_ports += n;
	}
	assert(n_ports == forwards->budget.used[BUDGET_PORT]);
}

/* Takes what the connector tells the parent, and answers as that does. */
static void
be_the_parent(void)
{
	struct ipc_message msg;
	const char *why;

	while (ipc_channel_recv(&box.parent, &msg, &why) == IPC_OUTCOME_MESSAGE) {
		if (msg.fd != -1)
			close(msg.fd);
		if (msg.id == IPC_MSG_table_removed)
			changes_go_on(&box.connector);
	}
}

/* Takes what the connector tells the worker, and answers as that does. */
static void
take_news(void)
{
	struct connector *connector = &box.connector;
	struct ipc_message msg;
	const char *why;

	be_the_parent();
	listeners_tell(&connector->listeners, &connector->to_worker, 0);
	while (ipc_channel_recv(&box.worker, &msg, &why) == IPC_OUTCOME_MESSAGE) {
		if (msg.id == IPC_MSG_listener)
			close(msg.fd);
		else if (msg.id == IPC_MSG_listener_gone)
			assert(listeners_note_closed(&connector->listeners,
				   msg.payload.listener_gone.id) == 0);
	}
}

/* Takes all that the connector has said: to the api, as the api would, and to the others. */
static void
take_answers(void)
{
	struct ipc_message msg;
	const char *why;

	/* Every request has at most one answer; a surplus is as good as none. */
	for (int id = 0; id < IPC_MSG_N; id++)
		ipc_channel_await_reply(&box.api, (enum ipc_message_id)id);
	take_news();
	for (;;) {
		switch (ipc_channel_recv(&box.api, &msg, &why)) {
		case IPC_OUTCOME_MESSAGE:
			assert(msg.fd == -1);
			break;
		case IPC_OUTCOME_NONE:
			return;
		case IPC_OUTCOME_CLOSED:
			assert(box.connector.api.channel.fd == -1);
			connector_box_open_api(&box);
			return;
		case IPC_OUTCOME_SHORTAGE:
		case IPC_OUTCOME_VIOLATION:
			assert(!"the connector's answer breaks the protocol");
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	connector_box_open(&box);
	connector_box_open_api(&box);
	while (datagram_send(box.api.fd, box.api.fd, &data, &size)) {
		connector_api_receive(&box.connector);
		while (changes_are_busy(&box.connector.changes)) {
			changes_proceed(&box.connector);
			be_the_parent();
		}
		take_answers();
		check_table();
	}
	connector_box_close(&box);
	harness_check_descriptors();
	return 0;
}
