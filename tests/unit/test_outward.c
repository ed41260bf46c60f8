/* SPDX-License-Identifier: BSD-2-Clause */
/* Where flows of the guest lead on the host's side. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "slirp-worker/engine/outward.h"
#include "slirp-worker/wire/wire.h"

static struct ipc_network network;
static struct ipc_nameservers nameservers;

static struct inaddr
address(const char *text)
{
	struct inaddr addr = { 0 };

	assert_true(inaddr_parse(text, &addr));
	return addr;
}

static int
set_up(void **state)
{
	(void)state;
	network = (struct ipc_network){
		.network_be = inet_addr("10.0.2.0"),
		.netmask_be = inet_addr("255.255.255.0"),
		.host_be = inet_addr("10.0.2.2"),
		.nameserver_be = inet_addr("10.0.2.3"),
		.enable_ipv6 = 1,
		.enable_dns = 1,
		.allow_host_loopback = 1,
	};
	inet_pton(AF_INET6, "fd00::", &network.prefix6);
	inet_pton(AF_INET6, "fd00::2", &network.host6);
	inet_pton(AF_INET6, "fd00::3", &network.nameserver6);
	nameservers = (struct ipc_nameservers){
		.servers = { { .addr = address("127.0.0.53") },
		    { .addr = address("fe80::9"), .scope_id = 4 } },
		.n = 2,
	};
	return 0;
}

static struct flow_key
key_to(const char *text, uint16_t port)
{
	const struct inaddr addr = address(text);
	struct flow_key key = {
		.ethertype = addr.is_ipv6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4,
		.peer_port = port,
		.protocol = IPPROTO_UDP,
	};

	memcpy(key.peer_address, addr.bytes, sizeof(key.peer_address));
	return key;
}

/* expected NULL: nowhere. */
static void
check(const char *peer, uint16_t port, const char *expected)
{
	const struct flow_key key = key_to(peer, port);
	union inaddr_sock to = { 0 };
	struct inaddr found, wanted;

	assert_int_equal(outward_find(&network, &nameservers, &key, &to),
	    expected != NULL);
	if (expected == NULL)
		return;
	wanted = address(expected);
	assert_true(inaddr_from_sockaddr(&found, &to.any));
	assert_true(inaddr_is_equal(&found, &wanted));
	assert_int_equal(inaddr_sock_port(&to), port);
}

static void
test_outside(void **state)
{
	(void)state;
	check("192.0.2.1", 80, "192.0.2.1");
	check("2001:db8::1", 80, "2001:db8::1");
	network.allow_host_loopback = 0;
	check("192.0.2.1", 80, "192.0.2.1");
	check("2001:db8::1", 80, "2001:db8::1");
}

static void
test_virtual_network(void **state)
{
	static const char *const names[] = { "10.0.2.2", "10.0.2.0", "10.0.2.77",
		"10.0.2.255", "255.255.255.255", "fd00::2", "fd00::77", "fe80::2" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		check(names[i], 80, strchr(names[i], ':') ? "::1" : "127.0.0.1");
		network.allow_host_loopback = 0;
		check(names[i], 80, NULL);
		network.allow_host_loopback = 1;
	}
}

static void
test_nameserver(void **state)
{
	const struct flow_key key = key_to("fd00::3", 53);
	union inaddr_sock to = { 0 };

	(void)state;
	/* Also if the loopback is closed. */
	network.allow_host_loopback = 0;
	check("10.0.2.3", 53, "127.0.0.53");
	check("fd00::3", 53, "fe80::9");
	assert_true(outward_find(&network, &nameservers, &key, &to));
	assert_int_equal(to.in6.sin6_scope_id, 4);
	check("10.0.2.3", 54, NULL);
	check("fd00::3", 5353, NULL);
	nameservers.n = 1;
	check("10.0.2.3", 53, "127.0.0.53");
	check("fd00::3", 53, NULL);
	network.enable_dns = 0;
	check("10.0.2.3", 53, NULL);
}

static void
test_outside_and_broadcast(void **state)
{
	static const struct {
		const char *peer;
		bool is_outside, is_broadcast;
	} cases[] = {
		{ "192.0.2.1", true, false },
		{ "192.0.2.255", true, false },
		{ "10.0.2.2", false, false },
		{ "10.0.2.3", false, false },
		{ "10.0.2.255", false, true },
		{ "255.255.255.255", false, true },
		{ "2001:db8::1", true, false },
		{ "fd00::2", false, false },
		{ "fd00::3", false, false },
		{ "fe80::2", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct flow_key key = key_to(cases[i].peer, 9);

		assert_int_equal(outward_is_outside(&network, &key), cases[i].is_outside);
		assert_int_equal(outward_is_broadcast(&network, &key),
		    cases[i].is_broadcast);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_outside, set_up),
		cmocka_unit_test_setup(test_virtual_network, set_up),
		cmocka_unit_test_setup(test_nameserver, set_up),
		cmocka_unit_test_setup(test_outside_and_broadcast, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
