/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the connector lets a connection of the guest lead. */
#include "connector/destination.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ipc_samples.h"

/* Longer than any address with its port. */
#define TEXT_SIZE (INET6_ADDRSTRLEN + 8)

static struct connector_rules rules;

static int
set_up(void **state)
{
	struct ipc_connector_start start;

	(void)state;
	/* 10.0.2.0/24 and fd00::/64, IPv6 and DNS on, the host's loopback closed; the name
	 * servers are 127.0.0.53 and fe80::53 on interface 2. */
	ipc_sample_connector_start(&start);
	rules = (struct connector_rules){
		.network = start.network,
		.nameservers = start.nameservers,
	};
	return 0;
}

static void
expect_proto(uint8_t proto, const char *address, uint16_t port, const char *wanted)
{
	char found[TEXT_SIZE], text[INET6_ADDRSTRLEN];
	union inaddr_sock to;
	struct inaddr peer, addr;

	assert_true(inaddr_parse(address, &peer));
	switch (destination_find(&rules, proto, &peer, port, &to)) {
	case DESTINATION_NEVER:
		snprintf(found, sizeof(found), "never");
		break;
	case DESTINATION_RESOLVER:
		snprintf(found, sizeof(found), "resolver");
		break;
	case DESTINATION_REFUSED:
		snprintf(found, sizeof(found), "refused");
		break;
	case DESTINATION_FOUND:
		assert_true(inaddr_from_sockaddr(&addr, &to.any));
		snprintf(found, sizeof(found), "%s %u", inaddr_format(&addr, text),
		    inaddr_sock_port(&to));
		break;
	}
	if (strcmp(found, wanted) != 0)
		fail_msg("%s %u: %s, wanted %s", address, port, found, wanted);
}

/* wanted: "never", "refused", or address and port; of both protocols. */
static void
expect(const char *address, uint16_t port, const char *wanted)
{
	expect_proto(IPPROTO_TCP, address, port, wanted);
	expect_proto(IPPROTO_UDP, address, port, wanted);
}

static void
test_addresses_outside_are_found(void **state)
{
	(void)state;
	expect("192.0.2.1", 443, "192.0.2.1 443");
	expect("10.0.3.2", 1, "10.0.3.2 1");
	expect("169.254.0.1", 80, "169.254.0.1 80");
	expect("223.255.255.255", 80, "223.255.255.255 80");
	expect("2001:db8::1", 65535, "2001:db8::1 65535");
	expect("fd00:0:0:1::2", 80, "fd00:0:0:1::2 80");
	/* A translator and a tunnel of the host, not the host. */
	expect("64:ff9b::7f00:1", 80, "64:ff9b::7f00:1 80");
	expect("2002:7f00:1::1", 80, "2002:7f00:1::1 80");
}

static void
test_network_is_refused_while_the_loopback_is_closed(void **state)
{
	static const char *const names[] = { "10.0.2.0", "10.0.2.1", "10.0.2.2",
		"10.0.2.100", "10.0.2.254", "fd00::", "fd00::1", "fd00::2",
		"fd00::ffff:ffff:ffff:ffff" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		expect(names[i], 80, "refused");
		/* The name servers' port is theirs alone. */
		expect(names[i], 53, "refused");
	}
}

static void
test_network_is_the_loopback_if_that_is_open(void **state)
{
	(void)state;
	rules.network.allow_host_loopback = 1;
	expect("10.0.2.2", 80, "127.0.0.1 80");
	expect("10.0.2.77", 80, "127.0.0.1 80");
	expect("fd00::2", 80, "::1 80");
	expect("fd00::77", 80, "::1 80");
	expect("10.0.3.2", 80, "10.0.3.2 80");
	/* No other name of it becomes legal. */
	expect("127.0.0.1", 80, "never");
	expect("::1", 80, "never");
}

static void
test_name_server_is_the_resolver(void **state)
{
	(void)state;
	expect_proto(IPPROTO_TCP, "10.0.2.3", 53, "resolver");
	expect_proto(IPPROTO_TCP, "fd00::3", 53, "resolver");
	/* DNS over UDP goes there by itself. */
	expect_proto(IPPROTO_UDP, "10.0.2.3", 53, "never");
	expect_proto(IPPROTO_UDP, "fd00::3", 53, "never");
	rules.network.allow_host_loopback = 1;
	expect("10.0.2.3", 80, "refused");
	expect("fd00::3", 80, "refused");
	rules.network.enable_dns = 0;
	expect("10.0.2.3", 53, "refused");
	expect("fd00::3", 53, "refused");
}

static void
test_addresses_that_are_never_on_a_wire(void **state)
{
	static const char *const names[] = { "0.0.0.0", "0.0.0.1", "127.0.0.1",
		"127.255.255.255", "240.0.0.1", "255.255.255.254", "::", "::1",
		"::7f00:1", "::ffff:127.0.0.1", "::ffff:192.0.2.1", "fe80::1", "febf::1",
		"ff01::1", "ff02::1", "ff12::1" };

	(void)state;
	for (int is_open = 0; is_open < 2; is_open++) {
		rules.network.allow_host_loopback = (uint8_t)is_open;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			expect(names[i], 53, "never");
	}
}

/* TCP has one peer; datagrams go to groups, and a broadcast could name the host's loopback. */
static void
test_addresses_of_many(void **state)
{
	static const char *const groups[] = { "224.0.0.1", "239.255.255.255", "ff05::1",
		"ff0e::1" };
	static const char *const broadcasts[] = { "255.255.255.255", "10.0.2.255" };
	char wanted[TEXT_SIZE];

	(void)state;
	for (int is_open = 0; is_open < 2; is_open++) {
		rules.network.allow_host_loopback = (uint8_t)is_open;
		for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
			snprintf(wanted, sizeof(wanted), "%s 53", groups[i]);
			expect_proto(IPPROTO_TCP, groups[i], 53, "never");
			expect_proto(IPPROTO_UDP, groups[i], 53, wanted);
		}
		for (size_t i = 0; i < sizeof(broadcasts) / sizeof(broadcasts[0]); i++) {
			expect_proto(IPPROTO_TCP, broadcasts[i], 53, "never");
			expect_proto(IPPROTO_UDP, broadcasts[i], 53,
			    is_open ? "127.0.0.1 53" : "refused");
		}
	}
}

static void
test_ipv6_that_is_off(void **state)
{
	(void)state;
	rules.network.enable_ipv6 = 0;
	expect("2001:db8::1", 80, "never");
	expect("fd00::2", 80, "never");
	expect("192.0.2.1", 80, "192.0.2.1 80");
}

/* A user may choose reserved addresses for the virtual network. */
static void
test_network_among_reserved_addresses(void **state)
{
	(void)state;
	rules.network.network_be = htonl(0xf0000000);
	rules.network.host_be = htonl(0xf0000002);
	rules.network.nameserver_be = htonl(0xf0000003);
	expect("240.0.0.2", 80, "refused");
	expect_proto(IPPROTO_TCP, "240.0.0.255", 80, "never");
	expect_proto(IPPROTO_UDP, "240.0.0.255", 80, "refused");
	expect("240.0.1.1", 80, "never");
	rules.network.allow_host_loopback = 1;
	expect("240.0.0.2", 80, "127.0.0.1 80");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_addresses_outside_are_found, set_up),
		cmocka_unit_test_setup(
		    test_network_is_refused_while_the_loopback_is_closed, set_up),
		cmocka_unit_test_setup(test_network_is_the_loopback_if_that_is_open,
		    set_up),
		cmocka_unit_test_setup(test_name_server_is_the_resolver, set_up),
		cmocka_unit_test_setup(test_addresses_that_are_never_on_a_wire, set_up),
		cmocka_unit_test_setup(test_addresses_of_many, set_up),
		cmocka_unit_test_setup(test_ipv6_that_is_off, set_up),
		cmocka_unit_test_setup(test_network_among_reserved_addresses, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
