/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of connections, from the tables of the engines. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc_samples.h"
#include "own_netns.h"
#include "slirp-worker/observe/connections.h"
#include "slirp-worker/observe/tcp_list.h"
#include "worker_box.h"

static struct worker_box box;

static uint32_t
address(const char *text)
{
	uint32_t addr_be = 0;

	if (inet_pton(AF_INET, text, &addr_be) != 1)
		fail_msg("%s is no address", text);
	return addr_be;
}

static void
add(bool is_ipv6, uint16_t port)
{
	struct ipc_listener listener;

	ipc_sample_listener(&listener);
	listener.id = port % 2;
	listener.proto = IPPROTO_UDP;
	listener.host_port = port;
	listener.host_addr = (struct inaddr){ .is_ipv6 = is_ipv6 };
	if (is_ipv6)
		listener.guest_addr = (struct inaddr){
			.bytes = { 0xfd, [15] = 100 },
			.is_ipv6 = 1,
		};
	worker_box_send_port(&box, &listener);
}

/* In both families. */
static void
test_real_forwards_are_listed(void **state)
{
	const struct in6_addr guest6 = { { { 0xfd, [15] = 100 } } };
	struct connections connections = { 0 };
	int n_seen = 0;

	(void)state;
	worker_box_open(&box, true);
	add(false, 8001);
	add(true, 8002);
	connections_collect(&connections, &box.worker.ping, &box.worker.udp);
	assert_int_equal(connections.n, 2);
	for (uint32_t i = 0; i < connections.n; i++) {
		const struct ipc_connection *entry = &connections.entries[i];
		bool is_ipv6 = entry->source_port % 2 == 0;
		struct inaddr guest =
		    is_ipv6 ? inaddr_from6(&guest6) : inaddr_from4(address("10.0.2.100"));

		assert_in_range(entry->source_port, 8001, 8002);
		n_seen |= 1 << (entry->source_port - 8001);
		assert_int_equal(entry->is_forward, 1);
		assert_int_equal(entry->source_addr.is_ipv6, is_ipv6);
		assert_int_equal(entry->proto, IPPROTO_UDP);
		assert_int_equal(entry->state, IPC_TCP_NONE);
		assert_int_equal(entry->dest_port, 80);
		assert_memory_equal(&entry->dest_addr, &guest, sizeof(guest));
	}
	assert_int_equal(n_seen, 3);
	connections_free(&connections);
	worker_box_close(&box);
}

/* Compares all pages with the entries of flows and copies, in this order. */
static void
expect_pages(const struct connections *connections, const struct tcp_forward *forward,
    const struct ipc_connection *expected, uint32_t n_expected)
{
	struct ipc_connections_page page = { 0 };
	uint32_t n = 0;

	do {
		uint32_t from = page.next;

		page = (struct ipc_connections_page){ 0 };
		connections_fill_page(connections, forward, from, &page);
		assert_true(page.next == 0 || page.n == IPC_CONNECTIONS_PAGE_ENTRIES);
		assert_true(page.next == 0 || page.next > from);
		assert_true(n + page.n <= n_expected);
		assert_memory_equal(page.entries, expected + n,
		    page.n * sizeof(page.entries[0]));
		n += page.n;
	} while (page.next != 0);
	assert_int_equal(n, n_expected);
}

#define N_FLOWS 10000
#define N_PORTS 100

/* An engine that has tables, and nothing else. */
static struct tcp_host host;
static struct tcp_forward forward = { .host = &host };
static struct port_table ports;

static void
make_tables(uint32_t n_flows)
{
	assert_int_equal(flow_key_make_secret(), 0);
	assert_int_equal(flow_table_init(&host.tcp.flows, sizeof(struct tcp_flow),
			     n_flows),
	    0);
	assert_int_equal(port_table_init(&ports, NULL, NULL), 0);
	tcp_listen_init(&forward.listen, &ports, NULL, NULL);
}

static void
free_tables(void)
{
	flow_table_free(&host.tcp.flows);
	port_table_free(&ports);
}

/* Flows, ports of TCP with others and gaps between them, and copied entries. */
static void
test_pages_of_the_engine(void **state)
{
	static struct ipc_connection expected[N_FLOWS + N_PORTS + 3];
	struct ipc_connection copies[3];
	struct connections connections = { .entries = copies, .n = 3 };
	struct flow_key key = { .ethertype = WIRE_TYPE_IP4, .protocol = IPPROTO_TCP };
	struct tcp_flow *flow;
	uint32_t n = 0;

	(void)state;
	make_tables(N_FLOWS);
	expect_pages(&(struct connections){ 0 }, &forward, NULL, 0);
	for (uint32_t i = 0; i < N_FLOWS; i++) {
		key.guest_port = (uint16_t)i;
		assert_non_null(flow_table_add(&host.tcp.flows, &key));
	}
	for (uint32_t i = 0; i < N_FLOWS; i++) {
		key.guest_port = (uint16_t)i;
		flow = flow_table_find(&host.tcp.flows, &key);
		flow->fd = -1;
		/* Long gaps, single ones, and at both ends. */
		if (i < 100 || i % 7 == 0 || i >= N_FLOWS - 100)
			flow_table_remove(&host.tcp.flows, flow);
		else
			tcp_list_describe(&host.tcp, flow, &expected[n++]);
	}
	expect_pages(&(struct connections){ 0 }, &forward, expected, n);
	ports.n_places = N_PORTS - 10;
	for (uint16_t i = 0; i < N_PORTS - 10; i++) {
		struct inaddr any = { .is_ipv6 = i % 2 };

		ports.places[i] = (struct port){
			.host = inaddr_sock_make(&any, (uint16_t)(8000 + i)),
			.guest = any,
			.guest_port = 80,
			.proto = i % 5 ? IPPROTO_TCP : IPPROTO_UDP,
			.state = i % 3 ? PORT_CLOSED : PORT_WATCHED,
			.fd = -1,
		};
		if (i % 3 == 0 && i % 5 != 0)
			tcp_list_describe_port(&ports.places[i], &expected[n++]);
	}
	assert_int_equal(expected[n - 1].state, IPC_TCP_LISTEN);
	assert_int_equal(expected[n - 1].source_port, 8087);
	assert_int_equal(expected[n - 1].source_addr.is_ipv6, 1);
	expect_pages(&(struct connections){ 0 }, &forward, expected, n);
	for (uint16_t i = 0; i < 3; i++)
		copies[i] = (struct ipc_connection){ .source_port = i };
	memcpy(expected + n, copies, sizeof(copies));
	expect_pages(&connections, &forward, expected, n + 3);
	free_tables();
}

static void
expect_ends(const struct connections *connections, const char *source,
    uint16_t source_port, const char *dest, uint16_t dest_port)
{
	struct ipc_connections_page page = { 0 };
	char text[INET6_ADDRSTRLEN];

	connections_fill_page(connections, &forward, 0, &page);
	assert_int_equal(page.n, 1);
	assert_string_equal(inaddr_format(&page.entries[0].source_addr, text), source);
	assert_int_equal(page.entries[0].source_port, source_port);
	assert_string_equal(inaddr_format(&page.entries[0].dest_addr, text), dest);
	assert_int_equal(page.entries[0].dest_port, dest_port);
}

/* The peer of a forward is the one that the host's kernel tells, whoever the guest sees. */
static void
test_ends_of_a_forward(void **state)
{
	const struct flow_key key = {
		.guest_address = { 0xfd, [15] = 0x64 },
		.peer_address = { 0xfd, [15] = 2 },
		.guest_port = 80,
		.peer_port = 40000,
		.ethertype = WIRE_TYPE_IP6,
		.protocol = IPPROTO_TCP,
	};
	const struct inaddr loopback = inaddr_loopback(false);
	const struct connections none = { 0 };
	union inaddr_sock own = inaddr_sock_make(&loopback, 0);
	socklen_t len = sizeof(own);
	int server_fd = socket(AF_INET, SOCK_STREAM, 0);
	int client_fd = socket(AF_INET, SOCK_STREAM, 0);
	struct tcp_flow *flow;

	(void)state;
	assert_int_equal(bind(server_fd, &own.any, sizeof(own.in)), 0);
	assert_int_equal(listen(server_fd, 1), 0);
	assert_int_equal(getsockname(server_fd, &own.any, &len), 0);
	assert_int_equal(connect(client_fd, &own.any, sizeof(own.in)), 0);
	len = sizeof(own);
	assert_int_equal(getsockname(client_fd, &own.any, &len), 0);
	make_tables(1);
	flow = flow_table_add(&host.tcp.flows, &key);
	assert_non_null(flow);
	flow->is_forward = true;
	flow->fd = accept(server_fd, NULL, NULL);
	/* Both ends in one family. */
	expect_ends(&none, "::ffff:127.0.0.1", inaddr_sock_port(&own), "fd00::64", 80);
	close(flow->fd);
	flow->fd = -1;
	expect_ends(&none, "fd00::2", 40000, "fd00::64", 80);
	flow_table_remove(&host.tcp.flows, flow);
	/* The listening socket. */
	ports.n_places = 1;
	ports.places[0] = (struct port){
		.host = inaddr_sock_make(&loopback, 8080),
		.guest = { { 0xfd, [15] = 0x64 }, 1 },
		.guest_port = 80,
		.proto = IPPROTO_TCP,
		.state = PORT_WATCHED,
		.fd = server_fd,
	};
	expect_ends(&none, "::ffff:127.0.0.1", 8080, "fd00::64", 80);
	free_tables();
	close(client_fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_forwards_are_listed),
		cmocka_unit_test(test_pages_of_the_engine),
		cmocka_unit_test(test_ends_of_a_forward),
	};

	own_netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
