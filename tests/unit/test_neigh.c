/* SPDX-License-Identifier: BSD-2-Clause */
/* What the worker learns about the guest's MACs, and how it asks for them. */
#include "slirp-worker/gate/neigh.h"

#include <stdio.h>

#include "base/bytes.h"
#include "gate_fixture.h"

#define OTHER4 "10.0.2.101"
#define LINK6 "fe80::5054:ff:fe12:3456"

static const uint8_t other_mac[MAC_LEN] = { 0x02, 0, 0, 0, 0, 0x09 };
static const struct mac gateway_mac = { { 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02 } };

static struct neigh neigh;

static int
begin(void **state)
{
	neigh = (struct neigh){ 0 };
	return loopback_allowed(state);
}

static struct inaddr
address(const char *text)
{
	struct inaddr addr = { 0 };

	assert_true(inaddr_parse(text, &addr));
	return addr;
}

/* The frame passes the gate, and the table learns from it. */
static void
learn_at(uint64_t now_ms)
{
	enum gate_verdict verdict = gate_judge_at(now_ms);

	assert_true(verdict == GATE_PASS || verdict == GATE_PING);
	neigh_learn(&neigh, &gate, frame.bytes, &parsed, now_ms);
}

static void
expect_mac(const char *text, const uint8_t *octets)
{
	const struct inaddr addr = address(text);
	struct mac mac;

	assert_true(neigh_find(&neigh, &addr, NOW_MS, &mac));
	assert_memory_equal(mac.octets, octets, MAC_LEN);
}

static void
expect_unknown_at(const char *text, uint64_t now_ms)
{
	const struct inaddr addr = address(text);
	struct mac mac;

	assert_false(neigh_find(&neigh, &addr, now_ms, &mac));
}

static void
learn_arp(uint16_t operation, const char *sender, const char *target,
    const uint8_t *sender_mac)
{
	frame_arp(&frame, operation, sender, target);
	memcpy(frame.bytes + WIRE_ETH_LEN + WIRE_ARP_SENDER_MAC, sender_mac, MAC_LEN);
	learn_at(NOW_MS);
}

static void
test_sender_of_arp(void **state)
{
	(void)state;
	expect_unknown_at(GUEST4, NOW_MS);
	learn_arp(WIRE_ARP_REQUEST, GUEST4, HOST4, frame_guest_mac);
	expect_mac(GUEST4, frame_guest_mac);
	expect_unknown_at(OTHER4, NOW_MS);
	/* An answer, whose sender may be behind a bridge. */
	learn_arp(WIRE_ARP_REPLY, OTHER4, HOST4, other_mac);
	expect_mac(OTHER4, other_mac);
	expect_mac(GUEST4, frame_guest_mac);
	/* An announcement (RFC 5227 3): the address has moved. */
	learn_arp(WIRE_ARP_REQUEST, GUEST4, GUEST4, other_mac);
	expect_mac(GUEST4, other_mac);
	assert_int_equal(neigh.n, 2);
}

static void
test_source_of_ip(void **state)
{
	(void)state;
	frame_tcp(&frame, GUEST4, 1000, OUTSIDE4, 80, WIRE_TCP_SYN);
	learn_at(NOW_MS);
	expect_mac(GUEST4, frame_guest_mac);
	frame_tcp(&frame, GUEST6, 1000, OUTSIDE6, 80, WIRE_TCP_SYN);
	learn_at(NOW_MS);
	expect_mac(GUEST6, frame_guest_mac);
	frame_echo(&frame, OTHER4, OUTSIDE4, 8);
	memcpy(frame.bytes + WIRE_ETH_SRC, other_mac, MAC_LEN);
	learn_at(NOW_MS);
	expect_mac(OTHER4, other_mac);
	expect_mac(GUEST4, frame_guest_mac);
	/* Nothing about destinations, nor about an address of the same first bytes. */
	expect_unknown_at(OUTSIDE4, NOW_MS);
	expect_unknown_at(OUTSIDE6, NOW_MS);
	expect_unknown_at("fd00::101", NOW_MS);
}

static void
test_node_without_an_address_tells_nothing(void **state)
{
	static const char group[] = "ff02::1:ff00:100";

	(void)state;
	frame_arp(&frame, WIRE_ARP_REQUEST, "0.0.0.0", GUEST4);
	learn_at(NOW_MS);
	frame_dhcp(&frame, "255.255.255.255", 1);
	learn_at(NOW_MS);
	/* It asks whether somebody has the address (RFC 4862 5.4.2). */
	frame_nd(&frame, "::", group, WIRE_ICMP6_NEIGHBOR_SOLICITATION, GUEST6, NULL, 0);
	learn_at(NOW_MS);
	assert_int_equal(neigh.n, 0);
}

/* The option of a target's MAC. */
static void
learn_advertisement(const char *src, const char *target, uint8_t kind, const uint8_t *mac)
{
	uint8_t options[WIRE_ND_OPTION_UNIT * 2] = { 14, 1, [8] = kind, [9] = 1 };

	memcpy(options + WIRE_ND_OPTION_UNIT + WIRE_ND_OPTION_MAC, mac, MAC_LEN);
	frame_nd(&frame, src, "fe80::2", WIRE_ICMP6_NEIGHBOR_ADVERTISEMENT, target,
	    options, sizeof(options));
	learn_at(NOW_MS);
}

static void
test_target_of_an_advertisement(void **state)
{
	(void)state;
	learn_advertisement(LINK6, GUEST6, WIRE_ND_TARGET_MAC, other_mac);
	expect_mac(GUEST6, other_mac);
	expect_mac(LINK6, frame_guest_mac);
	assert_int_equal(neigh.n, 2);
}

static void
test_advertisement_that_tells_no_mac(void **state)
{
	static const uint8_t group_mac[MAC_LEN] = { 0x33, 0x33 };
	static const uint8_t no_mac[MAC_LEN];

	(void)state;
	learn_advertisement(LINK6, GUEST6, WIRE_ND_SOURCE_MAC, other_mac);
	learn_advertisement(LINK6, GUEST6, WIRE_ND_TARGET_MAC, group_mac);
	learn_advertisement(LINK6, GUEST6, WIRE_ND_TARGET_MAC, no_mac);
	frame_nd(&frame, LINK6, "fe80::2", WIRE_ICMP6_NEIGHBOR_ADVERTISEMENT, GUEST6,
	    NULL, 0);
	learn_at(NOW_MS);
	expect_unknown_at(GUEST6, NOW_MS);
	learn_advertisement(LINK6, OUTSIDE6, WIRE_ND_TARGET_MAC, other_mac);
	expect_mac(OUTSIDE6, other_mac);
	frame.bytes[parsed.l4_offset + WIRE_ND_TARGET + 15]++;
	expect_drop(icmp_checksum);
}

static void
test_stacks_own_addresses_are_not_the_guests(void **state)
{
	static const char *const own[] = { HOST6, DNS6, "fe80::2", "fe80::3", "::1",
		"::ffff:10.0.2.100" };

	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		learn_advertisement(LINK6, own[i], WIRE_ND_TARGET_MAC, other_mac);
		expect_unknown_at(own[i], NOW_MS);
	}
	assert_int_equal(neigh.n, 1);
	frame_arp(&frame, WIRE_ARP_REPLY, HOST4, GUEST4);
	expect_drop(arp_sender);
}

static void
test_mac_is_known_for_a_minute(void **state)
{
	(void)state;
	learn_arp(WIRE_ARP_REQUEST, GUEST4, HOST4, frame_guest_mac);
	frame_tcp(&frame, GUEST4, 1000, OUTSIDE4, 80, WIRE_TCP_SYN);
	learn_at(NOW_MS + 5);
	expect_mac(GUEST4, frame_guest_mac);
	expect_unknown_at(GUEST4, NOW_MS + 5 + NEIGH_LIFE_MS);
	learn_at(NOW_MS + 2 * NEIGH_LIFE_MS);
	assert_int_equal(neigh.n, 1);
	expect_mac(GUEST4, frame_guest_mac);
}

/* 10.1.0.0 and following. */
static const char *
address_number(int i, char text[INET_ADDRSTRLEN])
{
	snprintf(text, INET_ADDRSTRLEN, "10.1.%d.%d", (uint8_t)(i / 256), (uint8_t)i);
	return text;
}

static void
test_silent_address_gives_way_when_the_table_is_full(void **state)
{
	char text[INET_ADDRSTRLEN];

	(void)state;
	for (int i = 1; i <= NEIGH_MAX; i++) {
		frame_arp(&frame, WIRE_ARP_REQUEST, address_number(i, text), HOST4);
		learn_at(NOW_MS - NEIGH_MAX + (uint64_t)i);
	}
	assert_int_equal(neigh.n, NEIGH_MAX);
	/* The first is heard again, so the second is the oldest. */
	frame_arp(&frame, WIRE_ARP_REQUEST, address_number(1, text), HOST4);
	learn_at(NOW_MS);
	learn_arp(WIRE_ARP_REQUEST, GUEST4, HOST4, other_mac);
	assert_int_equal(neigh.n, NEIGH_MAX);
	expect_mac(GUEST4, other_mac);
	expect_unknown_at(address_number(2, text), NOW_MS);
	for (int i = 1; i <= NEIGH_MAX; i++)
		if (i != 2)
			expect_mac(address_number(i, text), frame_guest_mac);
}

static void
test_request_for_ipv4(void **state)
{
	static const uint8_t expected[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52,
		0x55, 0x0a, 0x00, 0x02, 0x02, 0x08, 0x06, /* Ethernet, ARP */
		0, 1, 0x08, 0x00, 6, 4, 0, 1, /* Ethernet, IPv4, their lengths, request */
		0x52, 0x55, 0x0a, 0x00, 0x02, 0x02, 10, 0, 2, 2, /* sender */
		0, 0, 0, 0, 0, 0, 10, 0, 2, 100 };               /* target */
	const struct inaddr addr = address(GUEST4), asker = address(HOST4);
	uint8_t request[NEIGH_REQUEST_MAX];

	(void)state;
	memset(request, 0xa5, sizeof(request));
	assert_int_equal(neigh_write_request(request, &addr, &asker, &gateway_mac),
	    sizeof(expected));
	assert_memory_equal(request, expected, sizeof(expected));
}

static void
test_request_for_ipv6(void **state)
{
	static const uint8_t expected[] = { 0x33, 0x33, 0xff, 0x12, 0x34, 0x56, 0x52,
		0x55, 0x0a, 0x00, 0x02, 0x02, 0x86, 0xdd, /* Ethernet, IPv6 */
		0x60, 0, 0, 0, 0, 32, 58, 255, 0xfd, [37] = 0x02, 0xff, 0x02, [49] = 0x01,
		0xff, 0x12, 0x34, 0x56, /* the group of the target */
		135, 0, 0, 0, 0, 0, 0, 0, 0xfd, [75] = 0x12, 0x34, 0x56, 1, 1, 0x52, 0x55,
		0x0a, 0x00, 0x02, 0x02 };
	const struct inaddr addr = address("fd00::12:3456"), asker = address(HOST6);
	uint8_t request[NEIGH_REQUEST_MAX];
	uint8_t *checksum = request + WIRE_ETH_LEN + WIRE_IP6_LEN + WIRE_ICMP_CHECKSUM;

	(void)state;
	memset(request, 0xa5, sizeof(request));
	assert_int_equal(neigh_write_request(request, &addr, &asker, &gateway_mac),
	    sizeof(expected));
	assert_true(frame_checksums_are_right(request, sizeof(request)));
	store_be16(checksum, 0);
	assert_memory_equal(request, expected, sizeof(expected));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, begin)
		TEST(test_sender_of_arp),
		TEST(test_source_of_ip),
		TEST(test_node_without_an_address_tells_nothing),
		TEST(test_target_of_an_advertisement),
		TEST(test_advertisement_that_tells_no_mac),
		TEST(test_stacks_own_addresses_are_not_the_guests),
		TEST(test_mac_is_known_for_a_minute),
		TEST(test_silent_address_gives_way_when_the_table_is_full),
		TEST(test_request_for_ipv4),
		TEST(test_request_for_ipv6),
#undef TEST
	};

	return cmocka_run_group_tests_name("neigh", tests, NULL, NULL);
}
