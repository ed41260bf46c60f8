/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses libslirp's text about its sockets, and its real text for real ports. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp-worker/observe/connections.h"
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
test_lines_of_every_kind(void **state)
{
	static const struct {
		const char *line;
		const char *source, *dest;
		struct connection_line expected; /* without the addresses */
	} cases[] = {
		{ "  TCP[ESTABLISHED]   12      10.0.2.100 40000       192.0.2.1    80 "
		  "    7    65535",
		    "10.0.2.100", "192.0.2.1",
		    { .fd = 12,
			.source_port = 40000,
			.dest_port = 80,
			.recv_queue_bytes = 7,
			.send_queue_bytes = 65535,
			.proto = IPPROTO_TCP,
			.state = IPC_TCP_ESTABLISHED } },
		{ "  TCP[FIN_WAIT_1]    12      10.0.2.100 40000 255.255.255.255 65535 "
		  "    0     0",
		    "10.0.2.100", "255.255.255.255",
		    { .fd = 12,
			.source_port = 40000,
			.dest_port = 65535,
			.proto = IPPROTO_TCP,
			.state = IPC_TCP_FIN_WAIT_1 } },
		{ "  TCP[HOST_FORWARD]   9               *  8080      10.0.2.100    80 "
		  "    0     0",
		    "0.0.0.0", "10.0.2.100",
		    { .fd = 9,
			.source_port = 8080,
			.dest_port = 80,
			.proto = IPPROTO_TCP,
			.state = IPC_TCP_LISTEN,
			.is_forward = true } },
		{ "  TCP[NONE]           -1      10.0.2.100 40000       192.0.2.1    80 "
		  "    0     0",
		    "10.0.2.100", "192.0.2.1",
		    { .fd = -1,
			.source_port = 40000,
			.dest_port = 80,
			.proto = IPPROTO_TCP,
			.state = IPC_TCP_CLOSED } },
		{ "  UDP[240 sec]        10      10.0.2.100 40000        10.0.2.3    53 "
		  "    0     0",
		    "10.0.2.100", "10.0.2.3",
		    { .fd = 10,
			.source_port = 40000,
			.dest_port = 53,
			.proto = IPPROTO_UDP } },
		{ "  UDP[HOST_FORWARD]  11       127.0.0.1  5353      10.0.2.100    53 "
		  "    0     0",
		    "127.0.0.1", "10.0.2.100",
		    { .fd = 11,
			.source_port = 5353,
			.dest_port = 53,
			.proto = IPPROTO_UDP,
			.is_forward = true } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct connection_line expected = cases[i].expected, parsed;

		expected.source_be = address(cases[i].source);
		expected.dest_be = address(cases[i].dest);
		if (!connections_parse(cases[i].line, &parsed))
			fail_msg("not understood: %s", cases[i].line);
		assert_int_equal(parsed.fd, expected.fd);
		assert_int_equal(parsed.source_be, expected.source_be);
		assert_int_equal(parsed.dest_be, expected.dest_be);
		assert_int_equal(parsed.source_port, expected.source_port);
		assert_int_equal(parsed.dest_port, expected.dest_port);
		assert_int_equal(parsed.recv_queue_bytes, expected.recv_queue_bytes);
		assert_int_equal(parsed.send_queue_bytes, expected.send_queue_bytes);
		assert_int_equal(parsed.proto, expected.proto);
		assert_int_equal(parsed.state, expected.state);
		assert_int_equal(parsed.is_forward, expected.is_forward);
	}
}

static void
test_other_text_is_no_line(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"[",
		"TCP[",
		"TCP]",
		"  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ "
		"SendQ",
		"TCP[ESTABLISHED]",
		"TCP[ESTABLISHED] 1 1.2.3.4 1 1.2.3.4 1 0",
		"TCP[ESTABLISHED] 1 1.2.3.4 65536 1.2.3.4 1 0 0",
		"TCP[ESTABLISHED] 1 1.2.3.4 1 1.2.3.4 -1 0 0",
		"TCP[ESTABLISHED] 1 1.2.3 1 1.2.3.4 1 0 0",
		"TCP[ESTABLISHED] 1 1.2.3.4 1 1.2.3.4 1 0 4294967296",
		"TCP[ESTABLISHED] 1 1.2.3.4 - 1.2.3.4 - 0 0",
		"TCP[ESTABLISHEDESTABLISHEDESTABLISHED] 1 1.2.3.4 1 1.2.3.4 1 0 0",
		"TCP[ESTABLISHED] 1 1.2.3.4.5.6.7.8.9.10 1 1.2.3.4 1 0 0",
		"SCTP[ESTABLISHED] 1 1.2.3.4 1 1.2.3.4 1 0 0",
		"ICMP[1 sec] 1 1.2.3.4 - 1.2.3.4 - 0 0",
	};
	struct connection_line parsed;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (connections_parse(texts[i], &parsed))
			fail_msg("understood: %s", texts[i]);
}

/* Every line with a byte removed, doubled or changed: parsed or not, nothing breaks. */
static void
test_damaged_lines_do_no_harm(void **state)
{
	static const char whole[] =
	    "  UDP[HOST_FORWARD]  11       127.0.0.1  5353      10.0.2.100    53     0   "
	    "  0";
	struct connection_line parsed;

	(void)state;
	for (size_t at = 0; at < sizeof(whole); at++) {
		for (int byte = 0; byte < 256; byte++) {
			/* Of the exact size, so that a sanitizer sees every byte read
			 * beyond it. */
			char *text = strdup(whole);

			text[at] = (char)byte;
			text[sizeof(whole) - 1] = '\0';
			connections_parse(text, &parsed);
			free(text);
		}
	}
}

static void
add(uint8_t proto, bool is_ipv6, uint16_t port)
{
	struct ipc_forward forward = {
		.proto = proto,
		.host_port_first = port,
		.host_port_last = port,
		.guest_port_first = 80,
		.host_addr.is_ipv6 = is_ipv6,
		.guest_addr.is_ipv6 = is_ipv6,
	};

	forwards_add(&box.worker.forwards, &forward);
	while (!forwards_proceed(&box.worker.forwards))
		continue;
	assert_int_equal(box.worker.forwards.change.result.outcome, IPC_FORWARD_done);
}

/* libslirp's real text, for both families. */
static void
test_real_forwards_are_listed(void **state)
{
	const struct in6_addr guest6 = { { { 0xfd, [15] = 100 } } };
	struct connections connections = { 0 };
	int n_seen = 0;

	(void)state;
	worker_box_open(&box, true);
	add(IPPROTO_TCP, false, 8001);
	add(IPPROTO_TCP, true, 8002);
	add(IPPROTO_UDP, false, 8003);
	add(IPPROTO_UDP, true, 8004);
	connections_collect(&connections, box.worker.stack, &box.worker.ping,
	    &box.worker.forwards);
	assert_int_equal(connections.n, 4);
	for (uint32_t i = 0; i < connections.n; i++) {
		const struct ipc_connection *entry = &connections.entries[i];
		bool is_ipv6 = entry->source_port % 2 == 0;
		struct inaddr guest =
		    is_ipv6 ? inaddr_from6(&guest6) : inaddr_from4(address("10.0.2.100"));
		bool is_tcp = entry->source_port <= 8002;

		assert_in_range(entry->source_port, 8001, 8004);
		n_seen |= 1 << (entry->source_port - 8001);
		assert_int_equal(entry->is_forward, 1);
		assert_int_equal(entry->source_addr.is_ipv6, is_ipv6);
		assert_int_equal(entry->proto, is_tcp ? IPPROTO_TCP : IPPROTO_UDP);
		assert_int_equal(entry->state, is_tcp ? IPC_TCP_LISTEN : IPC_TCP_NONE);
		assert_int_equal(entry->dest_port, 80);
		assert_memory_equal(&entry->dest_addr, &guest, sizeof(guest));
	}
	assert_int_equal(n_seen, 15);
	connections_free(&connections);
	worker_box_close(&box);
}

static void
test_pages(void **state)
{
	struct connections connections = { 0 };
	struct ipc_connections_page page = { 0 };

	(void)state;
	worker_box_open(&box, false);
	for (uint16_t i = 0; i < 300; i++)
		add(IPPROTO_TCP, false, (uint16_t)(8000 + i));
	connections_collect(&connections, box.worker.stack, &box.worker.ping,
	    &box.worker.forwards);
	assert_int_equal(connections.n, 300);
	for (uint32_t first = 0; first < 300; first += IPC_PAGE_ENTRIES) {
		connections_fill_page(&connections, first, &page);
		assert_int_equal(page.has_more, first + IPC_PAGE_ENTRIES < 300);
		assert_int_equal(page.n, page.has_more ? IPC_PAGE_ENTRIES : 300 - first);
		assert_memory_equal(page.entries, connections.entries + first,
		    page.n * sizeof(page.entries[0]));
	}
	connections_fill_page(&connections, 300, &page);
	assert_int_equal(page.n, 0);
	assert_int_equal(page.has_more, 0);
	connections_fill_page(&connections, UINT32_MAX, &page);
	assert_int_equal(page.n, 0);
	connections_free(&connections);
	worker_box_close(&box);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_every_kind),
		cmocka_unit_test(test_other_text_is_no_line),
		cmocka_unit_test(test_damaged_lines_do_no_harm),
		cmocka_unit_test(test_real_forwards_are_listed),
		cmocka_unit_test(test_pages),
	};

	worker_box_enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
