/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker, a connector, connections of the guest and name servers beside a resolver: real
 * dispatch, real sockets. What breaks the form of a message is fuzz_ipc's, and ends the resolver;
 * here all forms are right, and the contents are anything. Nothing may crash. Each question of the
 * worker has one answer at most, with its own number of DNS, which ends with its question. At the
 * end no descriptor is left.
 *
 * Input: steps of two bytes: an action, and a value, of which some take the bytes behind it.
 */
#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/bytes.h"
#include "base/log.h"
#include "harness.h"
#include "ipc/fdtable.h"
#include "ipc_samples.h"
#include "resolver/lender.h"
#include "resolver/resolver.h"
#include "resolver/worker.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_FILES_MAX 256

/* Past this an input is only longer, not different. */
#define STEPS_MAX 256

/* The other ends of sockets; the oldest is closed for a new one. */
#define N_ENDS 16

#define QUERY_LEN 19

enum {
	QUERY,
	RAW_QUERY, /* takes bytes */
	OPENED,
	REFUSED,
	SERVER,     /* answers a question */
	RAW_SERVER, /* takes bytes */
	CLIENT,
	RAW_CLIENT, /* takes bytes */
	WAIT,
	SERVERS,
	NEW_WORKER,
	NEW_CONNECTOR,
	N_ACTIONS
};

struct ends {
	int fds[N_ENDS];
	size_t n; /* of all that there were */
};

static struct resolver resolver;
static struct ipc_channel worker, connector;
static struct ends servers, clients;

/* Questions of the worker by their number, which is that of DNS too. */
static bool is_asked[STEPS_MAX + 1];
static uint16_t n_asked;

/* Questions for sockets without an answer; the oldest is first. */
static struct ipc_dns_open wanted[IPC_DNS_ASKED_MAX];
static size_t n_wanted;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	harness_begin(N_FILES_MAX);
	return 0;
}

/* --- the ends of sockets -------------------------------------------------------------- */

static void
keep_end(struct ends *ends, int adopt_fd)
{
	int *place = &ends->fds[ends->n++ % N_ENDS];

	if (ends->n > N_ENDS)
		close(*place);
	*place = adopt_fd;
}

/* Returns one, or -1 without any. */
static int
end_at(const struct ends *ends, uint8_t value)
{
	size_t n = ends->n < N_ENDS ? ends->n : N_ENDS;

	return n > 0 ? ends->fds[value % n] : -1;
}

static void
close_ends(struct ends *ends)
{
	for (size_t i = 0; i < ends->n && i < N_ENDS; i++)
		close(ends->fds[i]);
	ends->n = 0;
}

/* Keeps one end of a new pair, and returns the other. */
static int
make_pair(struct ends *ends, int type)
{
	int fds[2];

	assert(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	keep_end(ends, fds[0]);
	return fds[1];
}

/* --- the worker and the guest --------------------------------------------------------- */

static void
make_query(uint16_t id, uint8_t value, uint8_t query[QUERY_LEN])
{
	static const uint8_t form[QUERY_LEN] = { 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1,
		'a', 0, 0, 1, 0, 1 };

	memcpy(query, form, QUERY_LEN);
	store_be16(query, id);
	query[13] = (uint8_t)('a' + value % 16);
}

static void
ask(const uint8_t *bytes, size_t len)
{
	struct ipc_dns_query msg = { .number = ++n_asked, .len = (uint16_t)len };

	memcpy(msg.bytes, bytes, len);
	store_be16(msg.bytes, n_asked);
	is_asked[n_asked] = ipc_send_dns_query(&worker, &msg) == 0;
}

static void
send_query(uint8_t value)
{
	uint8_t query[QUERY_LEN];

	make_query(0, value, query);
	ask(query, sizeof(query));
}

/* Takes at most value bytes of the input. */
static size_t
take_bytes(uint8_t value, uint8_t *bytes, const uint8_t **data, size_t *size)
{
	size_t len = value < *size ? value : *size;

	memcpy(bytes, *data, len);
	*data += len;
	*size -= len;
	return len;
}

static void
take_worker_answers(void)
{
	struct ipc_message msg;
	const char *why;
	enum ipc_outcome outcome;

	while ((outcome = ipc_channel_recv(&worker, &msg, &why)) == IPC_OUTCOME_MESSAGE) {
		const struct ipc_dns_answer *answer = &msg.payload.dns_answer;

		if (msg.id != IPC_MSG_dns_answer)
			continue;
		assert(answer->number <= n_asked && is_asked[answer->number]);
		is_asked[answer->number] = false;
		assert(message_id(answer->bytes) == answer->number);
	}
	assert(outcome == IPC_OUTCOME_NONE);
}

static void
send_client(uint8_t value, const uint8_t **data, size_t *size)
{
	uint8_t bytes[MESSAGE_PREFIX_LEN + UINT8_MAX], drained[4096];
	int fd = end_at(&clients, value);
	size_t len;

	if (fd == -1)
		return;
	while (recv(fd, drained, sizeof(drained), MSG_DONTWAIT) > 0)
		continue;
	if (value & 1) {
		len = take_bytes(value, bytes, data, size);
	} else {
		store_be16(bytes, QUERY_LEN);
		make_query(value, value, bytes + MESSAGE_PREFIX_LEN);
		len = MESSAGE_PREFIX_LEN + QUERY_LEN;
	}
	(void)send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* --- the connector and the servers ---------------------------------------------------- */

static struct ipc_dns_open
next_wanted(void)
{
	const struct ipc_dns_open first = wanted[0];

	memmove(wanted, wanted + 1, --n_wanted * sizeof(wanted[0]));
	return first;
}

static void
take_wanted(void)
{
	struct ipc_message msg;
	const char *why;
	enum ipc_outcome outcome;

	while (
	    (outcome = ipc_channel_recv(&connector, &msg, &why)) == IPC_OUTCOME_MESSAGE) {
		if (msg.id != IPC_MSG_dns_open)
			continue;
		assert(n_wanted < IPC_DNS_ASKED_MAX);
		wanted[n_wanted++] = msg.payload.dns_open;
	}
	assert(outcome == IPC_OUTCOME_NONE);
}

static void
open_next(void)
{
	const struct ipc_dns_open question = next_wanted();
	const struct ipc_dns_opened opened = { .number = question.number };
	autofd int fd = make_pair(&servers, question.is_tcp ? SOCK_STREAM : SOCK_DGRAM);

	(void)ipc_send_dns_opened(&connector, &opened, fd);
}

static void
refuse_next(uint8_t value)
{
	const struct ipc_dns_refused refused = {
		.number = next_wanted().number,
		.error = value % 127 + 1U,
	};

	(void)ipc_send_dns_refused(&connector, &refused);
}

/* Answers what a server was asked, or something close to that. */
static void
answer(uint8_t value)
{
	uint8_t bytes[MESSAGE_PREFIX_LEN + IPC_DNS_QUERY_MAX + 8];
	int fd = end_at(&servers, value);
	ssize_t len =
	    fd == -1 ? -1 : recv(fd, bytes, IPC_DNS_QUERY_MAX + 2, MSG_DONTWAIT);
	int type = 0;
	socklen_t type_len = sizeof(type);
	uint8_t *header = bytes;

	if (len < IPC_DNS_LEN_MIN)
		return;
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len);
	if (type == SOCK_STREAM)
		header += MESSAGE_PREFIX_LEN;
	header[2] |= 0x80;
	if (value & 16)
		header[3] = (uint8_t)(value & 15);
	if (value & 32)
		header[2] |= 2;
	if (value & 64)
		header[0] ^= 1;
	if (value & 128)
		header[12] ^= 1;
	(void)send(fd, bytes, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
send_server(uint8_t value, const uint8_t **data, size_t *size)
{
	uint8_t bytes[UINT8_MAX];
	int fd = end_at(&servers, value);
	size_t len = take_bytes(value, bytes, data, size);

	if (fd != -1)
		(void)send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
set_servers(uint8_t value)
{
	struct ipc_nameservers list;

	ipc_sample_nameservers(&list);
	list.n = value % 3;
	memset(&list.servers[list.n], 0,
	    (IPC_NAMESERVERS_MAX - list.n) * sizeof(list.servers[0]));
	list.rotate = value >> 2 & 1;
	servers_set(&resolver.servers, &list);
	question_restart_all(&resolver);
}

/* --- the resolver --------------------------------------------------------------------- */

static bool
is_ready(int fd, short events)
{
	struct pollfd one = { .fd = fd, .events = events };

	return poll(&one, 1, 0) == 1;
}

/* As its loop does. */
static void
turn(void)
{
	struct question *question, *next;

	(void)question_tick(&resolver);
	(void)client_tick(&resolver);
	lender_send(&resolver);
	if (resolver.has_answer)
		worker_answer_again(&resolver);
	worker_receive(&resolver);
	for (question = TAILQ_FIRST(&resolver.questions.aged); question != NULL;
	     question = next) {
		next = TAILQ_NEXT(question, aged);
		if (question->state == QUESTION_TALKS &&
		    is_ready(question->fd, question_events(question)))
			question_serve(&resolver, question);
	}
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &resolver.clients[i];
		struct pollfd one = { .fd = client->fd };

		if (client->state == CLIENT_NONE)
			continue;
		one.events = client_events(client);
		if (poll(&one, 1, 0) == 1)
			client_serve(&resolver, client, one.revents);
	}
	lender_receive(&resolver);
	assert(resolver.questions.n_by_udp <= QUESTIONS_MAX);
}

/* Opens the peer's end of a new channel, which greets. Returns the resolver's. */
static int
open_end(struct ipc_channel *theirs, enum ipc_role peer)
{
	int own_fd, peer_fd;

	ipc_channel_close(theirs);
	assert(ipc_channel_pair(&own_fd, &peer_fd) == 0);
	ipc_channel_open(theirs, peer_fd, peer, IPC_ROLE_RESOLVER);
	assert(ipc_channel_greet(theirs) == 0);
	return own_fd;
}

static void
open_worker(void)
{
	worker_begin(&resolver, open_end(&worker, IPC_ROLE_SLIRP_WORKER));
	memset(is_asked, 0, sizeof(is_asked));
}

static void
open_connector(void)
{
	lender_begin(&resolver, open_end(&connector, IPC_ROLE_CONNECTOR));
	n_wanted = 0;
}

/* As the parent leaves the numbers of channels at the start, and peers at their end. */
static void
reserve_numbers(void)
{
	dup3(STDIN_FILENO, IPC_CHILD_FD_PEER, O_CLOEXEC);
	dup3(STDIN_FILENO, IPC_CHILD_FD_CONNECTOR, O_CLOEXEC);
}

static void
open_all(void)
{
	memset(&resolver, 0, sizeof(resolver));
	resolver.to_worker.fd = resolver.to_connector.fd = -1;
	worker.fd = connector.fd = -1;
	resolver.now_ms = 1000;
	resolver.log_limit = (struct ratelimit){ .burst = 1, .interval_ms = 1000 };
	n_asked = 0;
	reserve_numbers();
	question_init(&resolver);
	open_worker();
	open_connector();
	set_servers(2);
}

static void
close_all(void)
{
	struct question *question;

	while ((question = TAILQ_FIRST(&resolver.questions.aged)) != NULL)
		question_forget(&resolver, question);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (resolver.clients[i].state != CLIENT_NONE)
			close(resolver.clients[i].fd);
	ipc_channel_close(&worker);
	ipc_channel_close(&connector);
	close_ends(&servers);
	close_ends(&clients);
	reserve_numbers();
}

static void
act(unsigned int action, uint8_t value, const uint8_t **data, size_t *size)
{
	uint8_t bytes[IPC_DNS_LEN_MIN + UINT8_MAX] = { 0 };
	size_t len;

	switch (action) {
	case QUERY:
		send_query(value);
		break;
	case RAW_QUERY:
		len = take_bytes(value, bytes, data, size);
		ask(bytes, len < IPC_DNS_LEN_MIN ? IPC_DNS_LEN_MIN : len);
		break;
	case OPENED:
		if (n_wanted > 0)
			open_next();
		break;
	case REFUSED:
		if (n_wanted > 0)
			refuse_next(value);
		break;
	case SERVER:
		answer(value);
		break;
	case RAW_SERVER:
		send_server(value, data, size);
		break;
	case CLIENT: {
		autofd int fd = make_pair(&clients, SOCK_STREAM);

		(void)ipc_send_dns_client(&connector, fd);
		break;
	}
	case RAW_CLIENT:
		send_client(value, data, size);
		break;
	case WAIT:
		resolver.now_ms += (uint64_t)value * 50;
		break;
	case SERVERS:
		set_servers(value);
		break;
	case NEW_WORKER:
		open_worker();
		break;
	case NEW_CONNECTOR:
		open_connector();
		break;
	}
	turn();
	take_worker_answers();
	take_wanted();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	open_all();
	for (int i = 0; i < STEPS_MAX && size >= 2; i++) {
		uint8_t action = data[0] % N_ACTIONS, value = data[1];

		data += 2;
		size -= 2;
		act(action, value, &data, &size);
	}
	close_all();
	harness_check_descriptors();
	return 0;
}
