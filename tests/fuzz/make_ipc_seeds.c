/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the seeds of fuzz_ipc: for each row of messages.h a right message, for each
 * receiver that there is, greeted and waiting for a reply. And those of fuzz_api_replies,
 * fuzz_api_to_worker, fuzz_api_to_connector, fuzz_services_to_connector, fuzz_services_to_worker,
 * fuzz_api_to_parent and fuzz_parent_to_connector.
 *
 * usage: make_ipc_seeds FUZZ_IPC FUZZ_API_REPLIES FUZZ_API_TO_WORKER FUZZ_API_TO_CONNECTOR
 *     FUZZ_SERVICES_TO_CONNECTOR FUZZ_SERVICES_TO_WORKER FUZZ_API_TO_PARENT
 *     FUZZ_PARENT_TO_CONNECTOR (directories)
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_ipc.h"
#include "ipc/describe.h"
#include "ipc_samples.h"

static FILE *
create(const char *directory, const char *name, unsigned int number)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s-%u", directory, name, number);
	file = fopen(path, "we");
	if (!file) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	return file;
}

static void
close_or_die(FILE *file)
{
	if (fclose(file) != 0) {
		perror("write a seed");
		exit(EXIT_FAILURE);
	}
}

/* A length of two bytes and the datagram. */
static void
write_message(FILE *file, enum ipc_message_id id, const void *payload)
{
	const struct ipc_description *row = &ipc_descriptions[id];
	const uint32_t header[] = { id, row->payload_size };
	size_t len = sizeof(header) + row->payload_size;
	/* The length's lowest bit says whether a descriptor goes with it. */
	size_t said_len = row->n_fds ? len | 1 : len & ~(size_t)1;

	fputc((int)(said_len >> 8), file);
	fputc((int)(said_len & UINT8_MAX), file);
	fwrite(header, sizeof(header), 1, file);
	fwrite(payload, row->payload_size, 1, file);
}

/* The same with the row's sample. */
static void
write_datagram(FILE *file, enum ipc_message_id id)
{
	union ipc_payload payload;

	ipc_sample_fill(id, &payload);
	write_message(file, id, &payload);
}

static void
write_seed(const char *directory, enum ipc_message_id id, unsigned int peer)
{
	FILE *file = create(directory, ipc_descriptions[id].name, peer);

	fputc((int)(peer | FUZZ_IPC_GREETED | FUZZ_IPC_RUNNING | FUZZ_IPC_AWAITING),
	    file);
	write_datagram(file, id);
	close_or_die(file);
}

/* The answers that the clients of fuzz_api_replies wait for, in their order; the first n. */
static void
write_replies(const char *directory, unsigned int n)
{
	static const enum ipc_message_id answers[] = { IPC_MSG_forward_added,
		IPC_MSG_forward_removed, IPC_MSG_forwards_page, IPC_MSG_connections_page,
		IPC_MSG_worker_state };
	FILE *file = create(directory, "answers", n);

	for (unsigned int i = 0; i < n; i++)
		write_datagram(file, answers[i]);
	close_or_die(file);
}

/* Requests that are done, each kind of forward, and removed in the other order. */
static void
write_requests(const char *directory, unsigned int n_forwards)
{
	FILE *file = create(directory, "requests", n_forwards);

	for (unsigned int i = 0; i < n_forwards; i++) {
		struct ipc_add_forward add;

		ipc_sample_add_forward(&add);
		add.forward.host_addr = inaddr_loopback(i % 2);
		add.forward.guest_addr = (struct inaddr){ .is_ipv6 = i % 2 };
		if (i / 2 % 2)
			add.forward.proto = IPPROTO_UDP;
		add.forward.host_port_last =
		    (uint16_t)(add.forward.host_port_first + i % 3);
		write_message(file, IPC_MSG_add_forward, &add);
	}
	for (uint32_t first = 0; first < 2 * IPC_PAGE_ENTRIES;
	     first += IPC_PAGE_ENTRIES) {
		const struct ipc_list_forwards list = { .after_id = first };

		write_message(file, IPC_MSG_list_forwards, &list);
	}
	for (unsigned int id = n_forwards; id > 0; id--) {
		const struct ipc_remove_forward remove = { .id = id };

		write_message(file, IPC_MSG_remove_forward, &remove);
	}
	close_or_die(file);
}

static void
write_queries(const char *directory)
{
	FILE *file = create(directory, "queries", 0);

	write_datagram(file, IPC_MSG_query_worker);
	for (uint32_t first = 0; first < 3; first++) {
		const struct ipc_list_connections look = { .from = first };

		write_message(file, IPC_MSG_list_connections, &look);
	}
	close_or_die(file);
}

/* Any message at all, after which there has to be a new channel or not, and then this one. */
static void
write_any(const char *directory, enum ipc_message_id id, enum ipc_message_id then)
{
	FILE *file = create(directory, ipc_descriptions[id].name, 0);

	write_datagram(file, id);
	write_datagram(file, then);
	close_or_die(file);
}

/* Flows to an address, and their ends; the others as in the sample. */
static void
write_flows(const char *directory, unsigned int number, const char *address,
    uint8_t first_byte)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
	FILE *file = create(directory, "flows", number);

	fputc(first_byte, file);
	for (size_t i = 0; i < sizeof(protos); i++) {
		struct ipc_flow_open open;
		struct ipc_flow_closed closed = { .n = 1, .flows = { i + 1 } };
		struct ipc_reply_open reply;

		ipc_sample_flow_open(&open);
		open.flow = i + 1;
		inaddr_parse(address, &open.peer);
		open.guest = (struct inaddr){ .is_ipv6 = open.peer.is_ipv6 };
		open.guest.bytes[0] = 10;
		open.proto = protos[i];
		open.peer_port = open.proto == IPPROTO_ICMP ? 0 : 53;
		write_message(file, IPC_MSG_flow_open, &open);
		write_message(file, IPC_MSG_flow_closed, &closed);
		ipc_sample_reply_open(&reply);
		reply.flow = i + 1;
		reply.listener = 0;
		reply.peer = open.peer;
		reply.own = inaddr_loopback(open.peer.is_ipv6);
		reply.peer_scope_id = reply.own_scope_id = 0;
		write_message(file, IPC_MSG_reply_open, &reply);
		write_message(file, IPC_MSG_flow_closed, &closed);
	}
	close_or_die(file);
}

static void
write_all_flows(const char *directory)
{
	static const char *const addresses[] = { "192.0.2.1", "10.0.2.2", "10.0.2.3",
		"10.0.2.255", "127.0.0.1", "255.255.255.255", "224.0.0.251", "0.0.0.0",
		"fd00::2", "fd00::3", "::1", "::ffff:127.0.0.1", "ff02::fb",
		"2001:db8::1" };

	for (unsigned int i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		write_flows(directory, 2 * i, addresses[i], 0);
		write_flows(directory, 2 * i + 1, addresses[i], 1);
	}
}

/* A byte before the messages. */
static void
write_service(const char *directory, enum ipc_message_id id, enum ipc_message_id then)
{
	FILE *file = create(directory, ipc_descriptions[id].name, 1);

	fputc(0, file);
	write_datagram(file, id);
	write_datagram(file, then);
	close_or_die(file);
}

/* Frames of the guest, each with a socket or a refusal for its flow; the numbers of the actions are
 * those of fuzz_services_to_worker. */
static void
write_steps(const char *directory)
{
	enum { FRAME, OPENED, REFUSED, LISTENER, GONE, ANSWER, TURN };

	for (unsigned int value = 0; value < 32; value++) {
		const uint8_t steps[] = { FRAME, (uint8_t)value, TURN, 0, OPENED,
			(uint8_t)value, TURN, 1, FRAME, (uint8_t)(value + 32), TURN, 0,
			REFUSED, (uint8_t)value, ANSWER, 1, LISTENER, (uint8_t)value,
			TURN, 1, OPENED, 0, TURN, 1, GONE, (uint8_t)value, TURN, 255 };
		FILE *file = create(directory, "steps", value);

		fwrite(steps, sizeof(steps), 1, file);
		close_or_die(file);
	}
}

/* A message of the connector, and of the resolver, at a time when a question waits. */
static void
write_raw(const char *directory, enum ipc_message_id id)
{
	enum { FRAME, TURN = 6, RAW };
	FILE *file = create(directory, ipc_descriptions[id].name, 0);

	for (int peer = 0; peer < 2; peer++) {
		fputc(FRAME, file);
		fputc(2, file);
		fputc(RAW, file);
		fputc(peer, file);
		write_datagram(file, id);
		fputc(TURN, file);
		fputc(1, file);
	}
	close_or_die(file);
}

/* A change of the policy, of this generation: another one as a whole, twice, and the end. */
static void
write_change(const char *directory, unsigned int number, uint64_t generation)
{
	FILE *file = create(directory, "change", number);
	struct ipc_policy_begin begin;
	struct ipc_policy_commit commit;

	ipc_sample_policy_begin(&begin);
	ipc_sample_policy_commit(&commit);
	fputc((int)(number & 1), file);
	for (unsigned int i = 0; i < 2; i++) {
		begin.generation = commit.generation = generation + i;
		write_message(file, IPC_MSG_policy_begin, &begin);
		write_datagram(file, IPC_MSG_policy_source);
		write_datagram(file, IPC_MSG_policy_rules);
		write_datagram(file, IPC_MSG_policy_prefixes);
		write_datagram(file, IPC_MSG_policy_names);
		write_message(file, IPC_MSG_policy_commit, &commit);
		write_datagram(file, IPC_MSG_change_policy);
	}
	write_datagram(file, IPC_MSG_get_status);
	close_or_die(file);
}

/* All that a parent sends to a connector: the forwards of the one before, a policy, channels to the
 * others, and what changes in service. Bits 0 and 1 of the number as in fuzz_parent_to_connector. */
static void
write_life(const char *directory, unsigned int number)
{
	FILE *file = create(directory, "life", number);
	struct ipc_kept_forward kept;
	struct ipc_kept_port port;
	struct ipc_peer peer;
	struct ipc_publish publish;

	fputc((int)(number & 3), file);
	ipc_sample_kept_forward(&kept);
	ipc_sample_kept_port(&port);
	port.port.forward = kept.entry.id;
	port.port.host_port = kept.entry.forward.host_port_first;
	if (number > 2) {
		write_message(file, IPC_MSG_kept_forward, &kept);
		write_message(file, IPC_MSG_kept_port, &port);
	}
	write_datagram(file, IPC_MSG_kept_end);
	for (enum ipc_message_id id = IPC_MSG_policy_begin;
	     number & 2 && id <= IPC_MSG_policy_commit; id++)
		write_datagram(file, id);
	ipc_sample_peer(&peer);
	for (uint32_t role = 0; role <= number; role++) {
		peer.role = (uint8_t)(IPC_ROLE_SLIRP_WORKER + role % 4);
		write_message(file, IPC_MSG_peer, &peer);
		peer.number++;
	}
	write_datagram(file, IPC_MSG_outbound);
	write_datagram(file, IPC_MSG_nameservers);
	write_datagram(file, IPC_MSG_host_addrs);
	write_datagram(file, IPC_MSG_guest_addr6);
	ipc_sample_publish(&publish);
	publish.forward.host_addr = inaddr_loopback(false);
	publish.forward.host_port_last =
	    (uint16_t)(publish.forward.host_port_first + number);
	write_message(file, IPC_MSG_publish, &publish);
	write_datagram(file, IPC_MSG_table_dropped);
	write_datagram(file, IPC_MSG_ping);
	close_or_die(file);
}

int
main(int argc, char **argv)
{
	if (argc != 9) {
		fprintf(stderr,
		    "usage: make_ipc_seeds FUZZ_IPC FUZZ_API_REPLIES FUZZ_API_TO_WORKER "
		    "FUZZ_API_TO_CONNECTOR FUZZ_SERVICES_TO_CONNECTOR "
		    "FUZZ_SERVICES_TO_WORKER FUZZ_API_TO_PARENT "
		    "FUZZ_PARENT_TO_CONNECTOR\n");
		return EXIT_FAILURE;
	}
	for (size_t id = 0; id < IPC_MSG_N; id++)
		for (unsigned int peer = 0; peer < FUZZ_IPC_N_PEERS; peer++)
			write_seed(argv[1], (enum ipc_message_id)id, peer);
	for (unsigned int n = 1; n <= 5; n++)
		write_replies(argv[2], n);
	write_queries(argv[3]);
	write_all_flows(argv[5]);
	write_steps(argv[6]);
	for (unsigned int n = 0; n < 6; n++)
		write_change(argv[7], n, n / 2 + 1);
	for (unsigned int n = 0; n < 6; n++)
		write_life(argv[8], n);
	for (unsigned int n = 1; n <= 4; n++)
		write_requests(argv[4], n);
	for (size_t id = 0; id < IPC_MSG_N; id++) {
		write_any(argv[3], (enum ipc_message_id)id, IPC_MSG_query_worker);
		write_any(argv[4], (enum ipc_message_id)id, IPC_MSG_list_forwards);
		write_service(argv[5], (enum ipc_message_id)id, IPC_MSG_flow_open);
		write_raw(argv[6], (enum ipc_message_id)id);
		write_service(argv[7], (enum ipc_message_id)id, IPC_MSG_get_status);
		write_service(argv[8], (enum ipc_message_id)id, IPC_MSG_ping);
	}
	return EXIT_SUCCESS;
}
