/* SPDX-License-Identifier: BSD-2-Clause */
/* How the guest sees a peer of a forward. */
#include "slirp-worker/engine/forward/peer.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "slirp-worker/wire/wire.h"
#include "slirp-worker/engine/gateway.h"

#define GUEST4 "10.0.2.100"
#define GUEST6 "fd00::100"
#define PEER_PORT 40000

static struct ipc_network network;

static struct inaddr
address(const char *text)
{
	struct inaddr addr = { 0 };

	assert_true(inaddr_parse(text, &addr));
	return addr;
}

static int
begin(void **state)
{
	const struct inaddr gateway6 = address("fd00::2"),
			    nameserver6 = address("fd00::3");

	(void)state;
	network = (struct ipc_network){
		.network_be = inet_addr("10.0.2.0"),
		.netmask_be = inet_addr("255.255.255.0"),
		.host_be = inet_addr("10.0.2.2"),
		.nameserver_be = inet_addr("10.0.2.3"),
	};
	network.prefix6.s6_addr[0] = 0xfd;
	memcpy(&network.host6, gateway6.bytes, sizeof(network.host6));
	memcpy(&network.nameserver6, nameserver6.bytes, sizeof(network.nameserver6));
	return 0;
}

static struct peer_incoming
incoming_of(const char *peer, const char *guest)
{
	const struct inaddr addr = address(peer);
	const union inaddr_sock sock = inaddr_sock_make(&addr, PEER_PORT);
	struct peer_incoming incoming = { .guest = address(guest), .guest_port = 80 };

	peer_take(&incoming, &sock);
	return incoming;
}

static void
expect_peer(const struct flow_key *key, const char *text)
{
	const struct inaddr wanted = address(text);
	const struct inaddr got =
	    inaddr_from_bytes(key->peer_address, key->ethertype == WIRE_TYPE_IP6);

	assert_true(inaddr_is_equal(&got, &wanted));
}

static void
test_peers_by_address(void **state)
{
	static const struct {
		const char *peer, *guest, *seen;
	} cases[] = {
		{ "203.0.113.1", GUEST4, "203.0.113.1" },
		{ "10.0.3.1", GUEST4, "10.0.3.1" },
		{ "2001:db8::1", GUEST6, "2001:db8::1" },
		{ "fd01::1", GUEST6, "fd01::1" },
		/* IPv4 in IPv6 is IPv4. */
		{ "::ffff:203.0.113.1", GUEST4, "203.0.113.1" },
		{ "::ffff:127.0.0.1", GUEST4, "10.0.2.2" },
		/* The host's loopback. */
		{ "127.0.0.1", GUEST4, "10.0.2.2" },
		{ "127.9.9.9", GUEST4, "10.0.2.2" },
		{ "::1", GUEST6, "fd00::2" },
		/* The guest would look for these at its own link, or nobody has them. */
		{ "169.254.0.1", GUEST4, "10.0.2.2" },
		{ "fe80::1", GUEST6, "fd00::2" },
		{ "febf::1", GUEST6, "fd00::2" },
		{ "10.0.2.1", GUEST4, "10.0.2.2" },
		{ "10.0.2.100", GUEST4, "10.0.2.2" },
		{ "10.0.2.3", GUEST4, "10.0.2.2" },
		{ "fd00::9", GUEST6, "fd00::2" },
		/* The gate drops the answers to these. */
		{ "0.0.0.1", GUEST4, "10.0.2.2" },
		{ "240.0.0.1", GUEST4, "10.0.2.2" },
		{ "::5", GUEST6, "fd00::2" },
		/* Between the families. */
		{ "203.0.113.1", GUEST6, "fd00::2" },
		{ "2001:db8::1", GUEST4, "10.0.2.2" },
		{ "::ffff:203.0.113.1", GUEST6, "fd00::2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct peer_incoming incoming =
		    incoming_of(cases[i].peer, cases[i].guest);
		const struct flow_key key = peer_key(&network, &incoming, 0);

		expect_peer(&key, cases[i].seen);
		assert_int_equal(key.peer_port, PEER_PORT);
		assert_int_equal(key.guest_port, 80);
		assert_int_equal(key.protocol, IPPROTO_TCP);
		assert_int_equal(key.ethertype,
		    incoming.guest.is_ipv6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4);
		assert_memory_equal(key.guest_address, incoming.guest.bytes,
		    sizeof(key.guest_address));
	}
}

/* A name server outside of the guest's network stands for the host's resolver. */
static void
test_peer_with_the_name_servers_address(void **state)
{
	const struct inaddr far6 = address("2001:db8::53");
	struct peer_incoming incoming = incoming_of("203.0.113.53", GUEST4);

	(void)state;
	assert_true(peer_is_reachable(&network, &incoming));
	network.nameserver_be = inet_addr("203.0.113.53");
	assert_false(peer_is_reachable(&network, &incoming));

	incoming = incoming_of("2001:db8::53", GUEST6);
	assert_true(peer_is_reachable(&network, &incoming));
	memcpy(&network.nameserver6, far6.bytes, sizeof(network.nameserver6));
	assert_false(peer_is_reachable(&network, &incoming));
}

static void
test_other_keys_are_the_gateways_with_other_ports(void **state)
{
	static const char *const peers[] = { "203.0.113.1", "127.0.0.1", "127.0.0.5" };
	uint16_t first_ports[3];

	(void)state;
	for (size_t p = 0; p < 3; p++) {
		const struct peer_incoming incoming = incoming_of(peers[p], GUEST4);
		uint16_t ports[PEER_KEYS];

		for (unsigned int i = 1; i < PEER_KEYS; i++) {
			const struct flow_key key = peer_key(&network, &incoming, i);
			const struct flow_key again = peer_key(&network, &incoming, i);

			expect_peer(&key, "10.0.2.2");
			assert_memory_equal(&key, &again, sizeof(key));
			assert_true(key.peer_port >= PEER_PORT_MIN);
			ports[i] = key.peer_port;
			for (unsigned int j = 1; j < i; j++)
				assert_int_not_equal(ports[j], ports[i]);
		}
		first_ports[p] = ports[1];
	}
	/* Peers with one port do not compete for one other port. */
	assert_int_not_equal(first_ports[0], first_ports[1]);
	assert_int_not_equal(first_ports[1], first_ports[2]);
	assert_int_not_equal(first_ports[0], first_ports[2]);
}

static void
test_gateways_macs_are_libslirps(void **state)
{
	static const uint8_t octets4[] = { 0x52, 0x55, 10, 0, 2, 2 };
	static const uint8_t octets6[] = { 0x52, 0x56, 0, 0, 0, 2 };
	const struct mac mac4 = gateway_mac(&network, false);
	const struct mac mac6 = gateway_mac(&network, true);

	(void)state;
	assert_memory_equal(mac4.octets, octets4, MAC_LEN);
	assert_memory_equal(mac6.octets, octets6, MAC_LEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, begin)
		TEST(test_peers_by_address),
		TEST(test_peer_with_the_name_servers_address),
		TEST(test_other_keys_are_the_gateways_with_other_ports),
		TEST(test_gateways_macs_are_libslirps),
#undef TEST
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
