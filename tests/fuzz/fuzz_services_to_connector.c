/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker and a resolver that send anything to the connector: real dispatch, real sockets of a
 * network namespace. Nothing may crash. Each answer is one to the question. Each connect(2) leads
 * where the question may lead: not to the host's loopback, unless that is open or a forward's peer
 * is there; for the resolver to port 53 of a known name server. At the end no descriptor is left.
 *
 * Input: a byte, of which bit 0 opens the loopback; then datagrams: two bytes of length, a header
 * and a payload. An odd length sends a descriptor along.
 */
#include <assert.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "connector/lend.h"
#include "connector/requests.h"
#include "connector_box.h"
#include "datagram.h"
#include "harness.h"
#include "own_netns.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_FILES_MAX 128

/* The host has the whole network, so a connection to each of its addresses begins. It is that of
 * the samples, from which the seeds are made. */
#define OUTSIDE "192.0.2.77"

#define FORWARDED_PORT 5300

/* Past this an input is only longer, not different. */
#define MESSAGES_MAX 64

static struct connector_box box;
static struct connector *const connector = &box.connector;

static void
add_outside(void)
{
	struct ifreq lo = { .ifr_name = "lo:1" };
	struct sockaddr_in *address = (struct sockaddr_in *)(void *)&lo.ifr_addr;
	autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	address->sin_family = AF_INET;
	inet_pton(AF_INET, OUTSIDE, &address->sin_addr);
	if (ioctl(fd, SIOCSIFADDR, &lo) == -1)
		fatal("give lo an address");
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	own_netns_enter();
	add_outside();
	harness_begin(N_FILES_MAX);
	return 0;
}

static void
add_forward(void)
{
	struct ipc_forward forward = {
		.host_port_first = FORWARDED_PORT,
		.host_port_last = FORWARDED_PORT,
		.guest_port_first = FORWARDED_PORT,
		.proto = IPPROTO_UDP,
	};

	changes_publish(connector, &forward);
	while (changes_want_a_turn(&connector->changes))
		changes_proceed(connector);
	assert(connector->forwards.table->n == 1);
}

/* The message that the connector handles. */
static const struct ipc_message *asked;

static bool
asks_for(uint64_t flow)
{
	return (asked->id == IPC_MSG_flow_open &&
		   asked->payload.flow_open.flow == flow) ||
	    (asked->id == IPC_MSG_reply_open && asked->payload.reply_open.flow == flow);
}

/* Whether the kernel leads it to the host itself, in any spelling. */
static bool
is_loopback(const union inaddr_sock *to)
{
	const struct in6_addr *addr6 = &to->in6.sin6_addr;
	uint32_t addr = to->in.sin_addr.s_addr;

	if (to->any.sa_family == AF_INET6) {
		if (!IN6_IS_ADDR_V4MAPPED(addr6))
			return IN6_IS_ADDR_LOOPBACK(addr6) ||
			    IN6_IS_ADDR_UNSPECIFIED(addr6);
		memcpy(&addr, addr6->s6_addr + 12, sizeof(addr));
	}
	return addr == 0 || ntohl(addr) >> 24 == IN_LOOPBACKNET;
}

static void
check_server(const struct inaddr *addr, uint16_t port)
{
	const struct ipc_nameservers *known = &connector->rules.nameservers;
	bool is_known = false;

	for (size_t i = 0; i < known->n; i++)
		is_known = is_known || inaddr_is_equal(&known->servers[i].addr, addr);
	assert(is_known && port == 53);
}

static void
check_destination(const union inaddr_sock *to)
{
	struct inaddr addr;

	assert(inaddr_from_sockaddr(&addr, &to->any));
	switch (asked->id) {
	case IPC_MSG_flow_open:
		assert(connector->rules.network.allow_host_loopback || !is_loopback(to));
		break;
	case IPC_MSG_reply_open:
		assert(inaddr_is_equal(&addr, &asked->payload.reply_open.peer));
		assert(inaddr_sock_port(to) == asked->payload.reply_open.peer_port);
		break;
	case IPC_MSG_dns_open:
		check_server(&addr, inaddr_sock_port(to));
		break;
	default:
		assert(!"a socket that nobody asks for");
	}
}

/* The linker replaces connect(2) by this (--wrap=connect). */
int __real_connect(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);

int
__wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	union inaddr_sock copy = { 0 };

	assert(len <= sizeof(copy));
	memcpy(&copy, to, len);
	check_destination(&copy);
	return __real_connect(fd, to, len);
}

/* Takes all that the worker is told after this message. */
static void
take_answers(void)
{
	struct ipc_message msg;
	const char *why;
	enum ipc_outcome outcome;

	while ((outcome = ipc_channel_recv(&box.worker, &msg, &why)) ==
	    IPC_OUTCOME_MESSAGE) {
		if (msg.id == IPC_MSG_flow_opened) {
			assert(asks_for(msg.payload.flow_opened.flow));
		} else if (msg.id == IPC_MSG_flow_refused) {
			assert(asks_for(msg.payload.flow_refused.flow));
			assert(msg.payload.flow_refused.error != 0);
		}
		if (msg.fd != -1)
			close(msg.fd);
	}
	assert(outcome != IPC_OUTCOME_VIOLATION && outcome != IPC_OUTCOME_SHORTAGE);
	assert((outcome == IPC_OUTCOME_CLOSED) == (connector->to_worker.fd == -1));
	if (outcome == IPC_OUTCOME_CLOSED)
		connector_box_open_worker(&box);
}

static void
take_lent(void)
{
	struct ipc_message msg;
	const char *why;
	enum ipc_outcome outcome;

	while ((outcome = ipc_channel_recv(&box.resolver, &msg, &why)) ==
	    IPC_OUTCOME_MESSAGE) {
		if (msg.fd != -1)
			close(msg.fd);
	}
	assert(outcome != IPC_OUTCOME_VIOLATION && outcome != IPC_OUTCOME_SHORTAGE);
	assert((outcome == IPC_OUTCOME_CLOSED) == (connector->to_resolver.fd == -1));
	if (outcome == IPC_OUTCOME_CLOSED)
		connector_box_open_resolver(&box);
}

/* What the parent is told, and ports that the worker is told of. */
static void
take_news(void)
{
	struct ipc_message msg;
	const char *why;

	while (ipc_channel_recv(&box.parent, &msg, &why) == IPC_OUTCOME_MESSAGE)
		if (msg.fd != -1)
			close(msg.fd);
	listeners_tell(&connector->listeners, &connector->to_worker, 0);
}

static bool
is_of_the_resolver(enum ipc_message_id id)
{
	return id == IPC_MSG_dns_open || id == IPC_MSG_dns_pin ||
	    id == IPC_MSG_dns_refusal;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	connector_box_open(&box);
	connector_box_open_resolver(&box);
	if (data[0] & 1)
		connector_box_allow_loopback(&box);
	data++;
	size--;
	add_forward();
	take_news();
	for (int i = 0; i < MESSAGES_MAX; i++) {
		const struct ipc_message next = datagram_look_ahead(data, size);
		bool is_resolver = is_of_the_resolver(next.id);
		int fd = is_resolver ? box.resolver.fd : box.worker.fd;

		if (!datagram_send(fd, fd, &data, &size))
			break;
		asked = &next;
		if (is_resolver)
			connector_lend_receive(connector);
		else
			connector_requests_receive(connector);
		take_lent();
		take_answers();
		take_news();
	}
	connector_box_close(&box);
	harness_check_descriptors();
	return 0;
}
