/* SPDX-License-Identifier: BSD-2-Clause */
/* What the peer of a UDP flow is. */
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
	};
	inet_pton(AF_INET6, "fd00::", &network.prefix6);
	inet_pton(AF_INET6, "fd00::2", &network.host6);
	inet_pton(AF_INET6, "fd00::3", &network.nameserver6);
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

static void
test_kinds_of_peers(void **state)
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
		cmocka_unit_test_setup(test_kinds_of_peers, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
