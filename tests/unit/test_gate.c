/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of Ethernet, ARP, IP headers and addresses in the gate. */
#include "gate_fixture.h"

#include "base/bytes.h"

#define IP (frame.bytes + 14)

static void
test_short_frames(void **state)
{
	(void)state;
	for (size_t len = 0; len < 14; len++) {
		frame_udp(&frame, GUEST4, 1000, OUTSIDE4, 53, NULL, 4);
		frame.len = len;
		expect_drop(frame_short);
	}
}

static void
test_every_cut_of_a_good_frame_is_dropped(void **state)
{
	struct frame whole;

	(void)state;
	frame_tcp(&whole, GUEST4, 1000, OUTSIDE4, 80, 0x02);
	for (size_t len = 0; len < whole.len; len++) {
		frame = whole;
		frame.len = len;
		expect_verdict(GATE_DROP);
	}
	frame_udp(&whole, GUEST6, 1000, OUTSIDE6, 80, NULL, 11);
	for (size_t len = 0; len < whole.len; len++) {
		frame = whole;
		frame.len = len;
		expect_verdict(GATE_DROP);
	}
}

static void
test_ether_source(void **state)
{
	static const uint8_t bad[][6] = {
		{ 0, 0, 0, 0, 0, 0 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x01, 0x00, 0x5e, 0, 0, 1 },
		{ 0x33, 0x33, 0, 0, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		frame_udp(&frame, GUEST4, 1000, OUTSIDE4, 53, NULL, 4);
		memcpy(frame.bytes + 6, bad[i], 6);
		expect_drop(ether_source);
	}
}

static void
test_ethertypes(void **state)
{
	/* a length, VLAN, service VLAN, NC-SI, MPLS, PPPoE, loopback test */
	static const uint16_t bad[] = { 0x0000, 0x05dc, 0x8100, 0x88a8, 0x88f8, 0x8847,
		0x8864, 0x9000, 0x0801, 0xffff };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		frame_udp(&frame, GUEST4, 1000, OUTSIDE4, 53, NULL, 4);
		store_be16(frame.bytes + 12, bad[i]);
		expect_drop(ethertype);
	}
}

static void
test_ipv6_is_dropped_unless_enabled(void **state)
{
	(void)state;
	gate.config.enable_ipv6 = false;
	frame_udp(&frame, GUEST6, 1000, OUTSIDE6, 53, NULL, 4);
	expect_drop(ip6_off);
	gate.config.enable_ipv6 = true;
	expect_pass();
}

static void
test_arp_passes_trimmed(void **state)
{
	static const char *const senders[] = { GUEST4, "0.0.0.0", "192.168.5.5" };

	(void)state;
	for (size_t i = 0; i < sizeof(senders) / sizeof(*senders); i++) {
		for (uint16_t operation = 1; operation <= 2; operation++) {
			frame_arp(&frame, operation, senders[i], HOST4);
			frame.len = 60; /* as Ethernet pads it */
			expect_pass();
			assert_int_equal(parsed.len, 42);
			assert_int_equal(parsed.ethertype, 0x0806);
			assert_int_equal(parsed.protocol, 0);
		}
	}
}

static void
test_arp_header(void **state)
{
	static const struct {
		size_t offset;
		uint16_t value;
	} bad[] = {
		{ 0, 6 },      /* IEEE 802 */
		{ 2, 0x86dd }, /* not IPv4 */
		{ 4, 0x0804 }, /* hardware address of 8 */
		{ 4, 0x0610 }, /* protocol address of 16 */
		{ 6, 0 },      /* operations: none, */
		{ 6, 3 },      /* reverse request, */
		{ 6, 0x0101 }, /* and a request in the wrong half */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		frame_arp(&frame, 1, GUEST4, HOST4);
		store_be16(IP + bad[i].offset, bad[i].value);
		expect_drop(arp_header);
	}
	for (size_t len = 14; len < 42; len++) {
		frame_arp(&frame, 1, GUEST4, HOST4);
		frame.len = len;
		expect_drop(arp_header);
	}
}

static void
test_arp_sender(void **state)
{
	static const char *const bad[] = { HOST4, DNS4, "10.0.2.255", "255.255.255.255",
		"224.0.0.1", "127.0.0.1", "0.0.0.1", "240.0.0.1" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		frame_arp(&frame, 2, bad[i], HOST4);
		expect_drop(arp_sender);
	}
	frame_arp(&frame, 1, GUEST4, HOST4);
	IP[8] |= 1; /* a group's hardware address */
	expect_drop(arp_sender);
	frame_arp(&frame, 1, GUEST4, HOST4);
	memset(IP + 8, 0, 6);
	expect_drop(arp_sender);
}

static void
test_ip4_passes_trimmed_to_total_length(void **state)
{
	(void)state;
	frame_tcp(&frame, GUEST4, 1000, OUTSIDE4, 80, 0x02);
	frame.len = 60;
	expect_pass();
	assert_int_equal(parsed.len, 54);
	assert_ptr_equal(parsed.src, frame.bytes + 26);
	assert_ptr_equal(parsed.dst, frame.bytes + 30);
	assert_int_equal(parsed.ttl, 64);
	assert_int_equal(parsed.l4_offset, 34);
	assert_int_equal(parsed.l4_len, 20);
	assert_int_equal(parsed.protocol, IPPROTO_TCP);
	assert_int_equal(parsed.ethertype, 0x0800);
}

static void
test_ip4_header(void **state)
{
	static const struct {
		size_t offset;
		uint16_t value;
	} bad[] = {
		{ 0, 0x6500 }, /* version 6 */
		{ 0, 0x4400 }, /* 16 bytes of header */
		{ 0, 0x4000 }, /* none */
		{ 2, 19 },     /* total length below the header's */
		{ 2, 41 },     /* beyond the frame */
		{ 2, 0xffff },
		{ 6, 0x8000 }, /* the reserved flag */
		{ 6, 0xc000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		frame_udp(&frame, GUEST4, 1000, OUTSIDE4, 80, NULL, 12);
		store_be16(IP + bad[i].offset, bad[i].value);
		expect_drop(ip4_header);
	}
	/* A header longer than the packet. */
	frame_ip(&frame, GUEST4, OUTSIDE4, IPPROTO_UDP, NULL, 8);
	IP[0] = 0x4f;
	expect_drop(ip4_header);
	/* An empty frame of this type. */
	frame.len = 14;
	expect_drop(ip4_header);
}

static void
test_ip4_checksum(void **state)
{
	(void)state;
	for (size_t i = 4; i < 20; i++) {
		if (i == 6) /* the flags have a test of their own */
			continue;
		frame_udp(&frame, GUEST4, 1000, OUTSIDE4, 80, NULL, 12);
		IP[i] ^= 0x10;
		expect_drop(ip4_checksum);
	}
}

static void
test_ip4_options(void **state)
{
	/* Well formed, malformed, source routes: none passes, with any protocol. */
	static const uint8_t options[][8] = {
		{ 1, 1, 1, 1, 0 },              /* fillers */
		{ 7, 7, 4, 0, 0, 0, 0, 0 },     /* record route */
		{ 68, 8, 5, 0, 0, 0, 0, 0 },    /* timestamp */
		{ 148, 4, 0, 0, 0 },            /* router alert */
		{ 131, 7, 4, 127, 0, 0, 1, 0 }, /* loose source route */
		{ 137, 7, 4, 127, 0, 0, 1, 1 }, /* strict source route */
		{ 0, 131, 0, 255 },             /* behind the end */
		{ 68, 0, 0, 0 },                /* length 0 */
		{ 148, 255, 0, 0 },             /* past the header */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		frame_udp(&frame, GUEST4, 1000, OUTSIDE4, 80, NULL, 12);
		frame_add_ip4_options(&frame, options[i], sizeof(options[i]));
		expect_drop(ip4_options);
		frame_tcp(&frame, GUEST4, 1000, OUTSIDE4, 80, 0x02);
		frame_add_ip4_options(&frame, options[i], sizeof(options[i]));
		expect_drop(ip4_options);
		frame_echo(&frame, GUEST4, OUTSIDE4, 12);
		frame_add_ip4_options(&frame, options[i], sizeof(options[i]));
		expect_drop(ip4_options);
	}
}

static void
test_ip4_sources(void **state)
{
	static const char *const bad[] = { "127.0.0.1", "127.255.255.255", "0.0.0.1",
		"0.1.2.3", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255",
		"10.0.2.255", HOST4, DNS4 };
	static const char *const good[] = { GUEST4, "10.0.2.15", "172.17.0.2",
		"1.2.3.4" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		frame_tcp(&frame, bad[i], 1000, OUTSIDE4, 80, 0x02);
		expect_drop(ip4_source);
		frame_udp(&frame, bad[i], 1000, OUTSIDE4, 80, NULL, 1);
		expect_drop(ip4_source);
		frame_echo(&frame, bad[i], OUTSIDE4, 1);
		expect_drop(ip4_source);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		frame_udp(&frame, good[i], 1000, OUTSIDE4, 80, NULL, 1);
		expect_pass();
	}
}

static void
test_own_network_may_be_of_240(void **state)
{
	struct gate_config config = gate.config;

	(void)state;
	inet_pton(AF_INET, "240.0.2.0", &config.network_be);
	inet_pton(AF_INET, "240.0.2.2", &config.host_be);
	inet_pton(AF_INET, "240.0.2.3", &config.nameserver_be);
	gate_init(&gate, &config);
	frame_arp(&frame, 1, "240.0.2.100", "240.0.2.2");
	expect_pass();
	frame_udp(&frame, "240.0.2.100", 1000, OUTSIDE4, 80, NULL, 1);
	expect_pass();
	frame_udp(&frame, "240.0.2.100", 1000, "240.0.2.3", 53, NULL, 1);
	expect_pass();
	/* Another network of 240/4, for both. */
	frame_udp(&frame, "240.0.3.100", 1000, OUTSIDE4, 80, NULL, 1);
	expect_drop(ip4_source);
	frame_udp(&frame, "240.0.2.100", 1000, "240.0.3.1", 80, NULL, 1);
	expect_drop(ip4_destination);
	frame_udp(&frame, "240.0.2.255", 1000, OUTSIDE4, 80, NULL, 1);
	expect_drop(ip4_source);
}

static void
test_ip4_unspecified_source_is_for_dhcp_only(void **state)
{
	(void)state;
	frame_dhcp(&frame, "255.255.255.255", 1);
	expect_pass();
	frame_udp(&frame, "0.0.0.0", 68, OUTSIDE4, 67, NULL, 300);
	expect_drop(ip4_source);
	frame_udp(&frame, "0.0.0.0", 68, "255.255.255.255", 68, NULL, 300);
	expect_drop(ip4_source);
	frame_tcp(&frame, "0.0.0.0", 68, OUTSIDE4, 67, 0x02);
	expect_drop(ip4_source);
	frame_echo(&frame, "0.0.0.0", OUTSIDE4, 4);
	expect_drop(ip4_source);
}

static void
test_ip4_destinations(void **state)
{
	static const char *const bad[] = { "0.0.0.0", "0.0.0.1", "0.255.255.255",
		"127.0.0.1", "127.0.0.53", "127.255.255.255", "240.0.0.0",
		"255.255.255.254", "254.1.1.1" };
	static const char *const good[] = { "1.0.0.1", "126.255.255.255", "128.0.0.1",
		"224.0.0.251", "239.255.255.250" };

	(void)state;
	for (int open = 0; open <= 1; open++) {
		gate_open(open, true);
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			frame_tcp(&frame, GUEST4, 1000, bad[i], 80, 0x02);
			expect_drop(ip4_destination);
			frame_tcp(&frame, GUEST4, 1000, bad[i], 80, 0x10);
			expect_drop(ip4_destination);
			frame_udp(&frame, GUEST4, 1000, bad[i], 80, NULL, 1);
			expect_drop(ip4_destination);
			frame_echo(&frame, GUEST4, bad[i], 1);
			expect_drop(ip4_destination);
		}
		for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
			frame_udp(&frame, GUEST4, 1000, good[i], 80, NULL, 1);
			expect_pass();
		}
	}
}

static void
test_ip_ttl(void **state)
{
	(void)state;
	frame_udp(&frame, GUEST4, 1000, OUTSIDE4, 80, NULL, 1);
	IP[8] = 0;
	frame_fix_checksums(&frame);
	expect_drop(ip_ttl);
	IP[8] = 1;
	frame_fix_checksums(&frame);
	expect_pass();
	frame_udp(&frame, GUEST6, 1000, OUTSIDE6, 80, NULL, 1);
	IP[7] = 0;
	expect_drop(ip_ttl);
	IP[7] = 1;
	expect_pass();
}

static void
test_ip_protocols(void **state)
{
	(void)state;
	for (int protocol = 0; protocol < 256; protocol++) {
		if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
			continue;
		if (protocol != IPPROTO_ICMP) {
			frame_ip(&frame, GUEST4, OUTSIDE4, (uint8_t)protocol, NULL, 64);
			expect_drop(ip_protocol);
		}
		if (protocol == IPPROTO_ICMPV6 || protocol == IPPROTO_FRAGMENT)
			continue;
		frame_ip(&frame, GUEST6, OUTSIDE6, (uint8_t)protocol, NULL, 64);
		expect_verdict(GATE_DROP);
		assert_true(parsed.reason == IPC_DROP_ip_protocol ||
		    parsed.reason == IPC_DROP_ip6_extension);
	}
	frame_ip(&frame, GUEST6, OUTSIDE6, IPPROTO_ICMP, NULL, 64);
	expect_drop(ip_protocol);
}

static void
test_ip6_passes_trimmed_to_payload_length(void **state)
{
	(void)state;
	frame_udp(&frame, GUEST6, 1000, OUTSIDE6, 80, NULL, 3);
	frame.len += 9;
	expect_pass();
	assert_int_equal(parsed.len, 14 + 40 + 11);
	assert_ptr_equal(parsed.src, frame.bytes + 22);
	assert_ptr_equal(parsed.dst, frame.bytes + 38);
	assert_int_equal(parsed.ttl, 64);
	assert_int_equal(parsed.l4_offset, 54);
	assert_int_equal(parsed.l4_len, 11);
	assert_int_equal(parsed.protocol, IPPROTO_UDP);
	assert_int_equal(parsed.ethertype, 0x86dd);
}

static void
test_ip6_header(void **state)
{
	(void)state;
	frame_udp(&frame, GUEST6, 1000, OUTSIDE6, 80, NULL, 12);
	IP[0] = 0x40;
	expect_drop(ip6_header);
	IP[0] = 0x60;
	store_be16(IP + 4, 21); /* a byte more than there is */
	expect_drop(ip6_header);
	store_be16(IP + 4, 0xffff);
	expect_drop(ip6_header);
	frame.len = 14 + 39;
	expect_drop(ip6_header);
	frame.len = 14;
	expect_drop(ip6_header);
}

static void
test_ip6_jumbogram_and_empty_payload(void **state)
{
	static const uint8_t jumbo[8] = { IPPROTO_UDP, 0, 0xc2, 4, 0, 1, 0, 0 };

	(void)state;
	frame_ip(&frame, GUEST6, OUTSIDE6, IPPROTO_HOPOPTS, jumbo, sizeof(jumbo));
	store_be16(IP + 4, 0);
	expect_drop(ip6_extension);
	frame_udp(&frame, GUEST6, 1000, OUTSIDE6, 80, NULL, 12);
	store_be16(IP + 4, 0);
	expect_drop(udp_length);
	frame_ip(&frame, GUEST6, OUTSIDE6, IPPROTO_NONE, NULL, 0);
	expect_drop(ip6_extension);
	frame_ip(&frame, GUEST6, OUTSIDE6, IPPROTO_TCP, NULL, 0);
	expect_drop(tcp_header);
	frame_ip(&frame, GUEST6, OUTSIDE6, IPPROTO_ICMPV6, NULL, 0);
	expect_drop(icmp_length);
}

/* Counted apart: a guest without a fault sends them. */
static void
test_reports_of_multicast_listeners(void **state)
{
	static const uint8_t types[] = { 131, 132, 143 };
	uint8_t report[] = { IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0, 0, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		report[8] = types[i];
		frame_ip(&frame, GUEST6, OUTSIDE6, IPPROTO_HOPOPTS, report,
		    sizeof(report));
		expect_drop(ip6_mld);
		/* Cut before the type. */
		frame_ip(&frame, GUEST6, OUTSIDE6, IPPROTO_HOPOPTS, report, 8);
		expect_drop(ip6_extension);
	}
	report[8] = 128;
	frame_ip(&frame, GUEST6, OUTSIDE6, IPPROTO_HOPOPTS, report, sizeof(report));
	expect_drop(ip6_extension);
	report[8] = 143;
	report[0] = IPPROTO_UDP;
	frame_ip(&frame, GUEST6, OUTSIDE6, IPPROTO_HOPOPTS, report, sizeof(report));
	expect_drop(ip6_extension);
}

static void
test_ip6_extension_headers(void **state)
{
	static const uint8_t extensions[] = { 0, 43, 50, 51, 59, 60, 135 };

	(void)state;
	for (size_t i = 0; i < sizeof(extensions); i++) {
		uint8_t l4[48] = { IPPROTO_UDP };

		frame_ip(&frame, GUEST6, OUTSIDE6, extensions[i], l4, sizeof(l4));
		expect_drop(ip6_extension);
		/* Nor after a fragment header. */
		l4[0] = extensions[i];
		frame_ip(&frame, GUEST6, OUTSIDE6, IPPROTO_FRAGMENT, l4, sizeof(l4));
		expect_drop(ip6_extension);
	}
	frame_ip(&frame, GUEST6, OUTSIDE6, IPPROTO_FRAGMENT, "\x2c\0\0\1\0\0\0\1", 8);
	expect_drop(ip6_extension);
}

static void
test_ip6_sources(void **state)
{
	static const char *const bad[] = { "::1", "::2", "::127.0.0.1",
		"::ffff:127.0.0.1", "::ffff:10.0.2.100", "ff02::1", "ff0e::1", HOST6,
		DNS6, "fe80::2", "fe80::3" };
	static const char *const good[] = { GUEST6, "fe80::5054:ff:fe12:3456",
		"2001:db8::1", "fd00:1::2" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		frame_tcp(&frame, bad[i], 1000, OUTSIDE6, 80, 0x02);
		expect_drop(ip6_source);
		frame_udp(&frame, bad[i], 1000, OUTSIDE6, 80, NULL, 1);
		expect_drop(ip6_source);
		frame_nd(&frame, bad[i], HOST6, 135, HOST6, NULL, 0);
		expect_drop(ip6_source);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		frame_udp(&frame, good[i], 1000, OUTSIDE6, 80, NULL, 1);
		expect_pass();
	}
}

static void
test_ip6_unspecified_source_is_for_discovery_only(void **state)
{
	(void)state;
	frame_nd(&frame, "::", "ff02::1:ff00:100", 135, GUEST6, NULL, 0);
	expect_pass();
	frame_nd(&frame, "::", "ff02::2", 133, NULL, NULL, 0);
	expect_pass();
	frame_tcp(&frame, "::", 1000, OUTSIDE6, 80, 0x02);
	expect_drop(ip6_source);
	frame_udp(&frame, "::", 1000, OUTSIDE6, 80, NULL, 1);
	expect_drop(ip6_source);
	frame_echo(&frame, "::", HOST6, 1);
	expect_drop(ip6_source);
	frame_dhcp6(&frame, "::", "ff02::1:2", 11, NULL, 0);
	expect_drop(ip6_source);
}

static void
test_router_address_of_libslirp_is_never_the_guests(void **state)
{
	struct gate_config config = gate.config;

	(void)state;
	inet_pton(AF_INET6, "fd00::abcd", &config.host6);
	gate_init(&gate, &config);
	frame_udp(&frame, "fe80::2", 1000, OUTSIDE6, 80, NULL, 1);
	expect_drop(ip6_source);
	frame_udp(&frame, "fe80::abcd", 1000, OUTSIDE6, 80, NULL, 1);
	expect_drop(ip6_source);
}

static void
test_ip6_destinations(void **state)
{
	static const char *const bad[] = { "::", "::1", "::2", "::127.0.0.1", "::8.8.8.8",
		"::ffff:0.0.0.0", "::ffff:127.0.0.1", "::ffff:10.0.2.2",
		"::ffff:8.8.8.8" };
	/* 64:ff9b::/96 translates IPv4 on networks without it (RFC 6052). */
	static const char *const good[] = { "64:ff9b::8.8.8.8", "2001:db8::1",
		"fd00:0:0:1::1", "2a80:1::1", "fec0::1", "ff03::1", "fc00::1",
		"ff05::1:3", "ff0e::1" };

	(void)state;
	for (int open = 0; open <= 1; open++) {
		gate_open(open, true);
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			frame_tcp(&frame, GUEST6, 1000, bad[i], 80, 0x02);
			expect_drop(ip6_destination);
			frame_tcp(&frame, GUEST6, 1000, bad[i], 80, 0x10);
			expect_drop(ip6_destination);
			frame_udp(&frame, GUEST6, 1000, bad[i], 80, NULL, 1);
			expect_drop(ip6_destination);
			frame_echo(&frame, GUEST6, bad[i], 1);
			expect_drop(ip6_destination);
			frame_nd(&frame, GUEST6, bad[i], 135, HOST6, NULL, 0);
			expect_drop(ip6_destination);
		}
		for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
			frame_udp(&frame, GUEST6, 1000, good[i], 80, NULL, 1);
			expect_pass();
		}
	}
}

static void
test_fragments_of_ip4(void **state)
{
	struct frame whole;

	(void)state;
	frame_udp(&whole, GUEST4, 1000, OUTSIDE4, 80, NULL, 1000);
	frame_fragment(&frame, &whole, 0, 504, true, 77);
	expect_verdict(GATE_FRAGMENT);
	assert_true(parsed.fragment_more);
	assert_int_equal(parsed.fragment_offset, 0);
	assert_int_equal(parsed.fragment_id, 77);
	assert_int_equal(parsed.l4_len, 504);
	frame_fragment(&frame, &whole, 504, 504, false, 77);
	expect_verdict(GATE_FRAGMENT);
	assert_false(parsed.fragment_more);
	assert_int_equal(parsed.fragment_offset, 504);

	/* Don't Fragment alone is not a fragment. */
	frame = whole;
	store_be16(IP + 6, 0x4000);
	frame_fix_checksums(&frame);
	expect_pass();
}

static void
test_fragments_of_ip6(void **state)
{
	struct frame whole;

	(void)state;
	frame_udp(&whole, GUEST6, 1000, OUTSIDE6, 80, NULL, 1000);
	frame_fragment(&frame, &whole, 504, 504, false, 0xfedcba98);
	expect_verdict(GATE_FRAGMENT);
	assert_false(parsed.fragment_more);
	assert_int_equal(parsed.fragment_offset, 504);
	assert_int_equal(parsed.fragment_id, 0xfedcba98);
	assert_int_equal(parsed.l4_offset, 14 + 40 + 8);
	assert_int_equal(parsed.l4_len, 504);
	assert_int_equal(parsed.protocol, IPPROTO_UDP);
	frame_fragment(&frame, &whole, 0, 1008, false, 1); /* atomic */
	expect_verdict(GATE_FRAGMENT);
	/* The reserved bits have no meaning (RFC 8200 4.5). */
	frame_fragment(&frame, &whole, 504, 504, true, 1);
	IP[40 + 1] = 0xff;
	IP[40 + 3] |= 6;
	expect_verdict(GATE_FRAGMENT);
	assert_int_equal(parsed.fragment_offset, 504);
	/* A truncated fragment header. */
	for (size_t len = 0; len < 8; len++) {
		frame_fragment(&frame, &whole, 0, 504, true, 1);
		store_be16(IP + 4, (uint16_t)len);
		expect_drop(ip6_header);
	}
}

static void
test_fragments_with_forbidden_addresses_or_protocols(void **state)
{
	struct frame whole;

	(void)state;
	frame_udp(&whole, GUEST4, 1000, "127.0.0.1", 80, NULL, 1000);
	frame_fragment(&frame, &whole, 504, 504, false, 1);
	expect_drop(ip4_destination);
	frame_udp(&whole, HOST4, 1000, OUTSIDE4, 80, NULL, 1000);
	frame_fragment(&frame, &whole, 504, 504, false, 1);
	expect_drop(ip4_source);
	frame_udp(&whole, GUEST6, 1000, "::1", 80, NULL, 1000);
	frame_fragment(&frame, &whole, 504, 504, false, 1);
	expect_drop(ip6_destination);
	frame_udp(&whole, HOST6, 1000, OUTSIDE6, 80, NULL, 1000);
	frame_fragment(&frame, &whole, 0, 504, true, 1);
	expect_drop(ip6_source);
	frame_ip(&whole, GUEST4, OUTSIDE4, 47, NULL, 1000);
	frame_fragment(&frame, &whole, 504, 496, false, 1);
	expect_drop(ip_protocol);
	frame_ip(&whole, GUEST6, OUTSIDE6, 47, NULL, 1000);
	frame_fragment(&frame, &whole, 504, 496, false, 1);
	expect_drop(ip_protocol);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_frames),
		cmocka_unit_test(test_every_cut_of_a_good_frame_is_dropped),
		cmocka_unit_test(test_ether_source),
		cmocka_unit_test(test_ethertypes),
		cmocka_unit_test(test_ipv6_is_dropped_unless_enabled),
		cmocka_unit_test(test_arp_passes_trimmed),
		cmocka_unit_test(test_arp_header),
		cmocka_unit_test(test_arp_sender),
		cmocka_unit_test(test_ip4_passes_trimmed_to_total_length),
		cmocka_unit_test(test_ip4_header),
		cmocka_unit_test(test_ip4_checksum),
		cmocka_unit_test(test_ip4_options),
		cmocka_unit_test(test_ip4_sources),
		cmocka_unit_test(test_own_network_may_be_of_240),
		cmocka_unit_test(test_ip4_unspecified_source_is_for_dhcp_only),
		cmocka_unit_test_setup(test_ip4_destinations, loopback_closed),
		cmocka_unit_test_setup(test_ip_ttl, loopback_closed),
		cmocka_unit_test(test_ip_protocols),
		cmocka_unit_test(test_ip6_passes_trimmed_to_payload_length),
		cmocka_unit_test(test_ip6_header),
		cmocka_unit_test(test_ip6_jumbogram_and_empty_payload),
		cmocka_unit_test(test_reports_of_multicast_listeners),
		cmocka_unit_test(test_ip6_extension_headers),
		cmocka_unit_test(test_ip6_sources),
		cmocka_unit_test(test_ip6_unspecified_source_is_for_discovery_only),
		cmocka_unit_test_setup(
		    test_router_address_of_libslirp_is_never_the_guests, loopback_closed),
		cmocka_unit_test_setup(test_ip6_destinations, loopback_closed),
		cmocka_unit_test_setup(test_fragments_of_ip4, loopback_closed),
		cmocka_unit_test(test_fragments_of_ip6),
		cmocka_unit_test(test_fragments_with_forbidden_addresses_or_protocols),
	};

	loopback_closed(NULL);
	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
