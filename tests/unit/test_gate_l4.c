/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of TCP, UDP, DHCP, ICMP and neighbor discovery in the gate. */
#include "gate_fixture.h"

#include "base/bytes.h"
#include "base/inaddr.h"

#define IP (frame.bytes + 14)
#define L4 (frame.bytes + frame_l4_offset(&frame))

#define N_OF(array) (sizeof(array) / sizeof(*(array)))

/* Runs each case in both families. */
static const struct family {
	const char *guest, *host, *dns, *outside;
} families[] = {
	{ GUEST4, HOST4, DNS4, OUTSIDE4 },
	{ GUEST6, HOST6, DNS6, OUTSIDE6 },
};

#define for_each_family(f) \
	for (const struct family *f = families; f < families + N_OF(families); f++)

static void
test_tcp_header(void **state)
{
	static const uint8_t bad_offsets[] = { 0x00, 0x10, 0x40, 0x60, 0xf0 };

	(void)state;
	for_each_family(f)
	{
		for (size_t i = 0; i < N_OF(bad_offsets); i++) {
			frame_tcp(&frame, f->guest, 1000, f->outside, 80, 0x02);
			L4[12] = bad_offsets[i];
			expect_drop(tcp_header);
		}
		for (size_t len = 0; len < 20; len++) {
			frame_ip(&frame, f->guest, f->outside, IPPROTO_TCP, NULL, len);
			expect_drop(tcp_header);
		}
	}
}

static void
test_tcp_options_that_are_well_formed_pass(void **state)
{
	/* Linux's SYN; a fast-open cookie; an early end; unknown kinds. */
	static const uint8_t linux_syn[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0,
		0, 0, 1, 3, 3, 7 };
	static const uint8_t cookie[] = { 2, 4, 5, 0xb4, 34, 10, 1, 2, 3, 4, 5, 6, 7, 8,
		1, 1 };
	static const uint8_t ended[] = { 1, 0, 2, 0 };
	static const uint8_t unknown[] = { 253, 2, 99, 6, 1, 2, 3, 4 };
	static const uint8_t full[40] = { 30, 40 };
	static const uint8_t shortest_at_the_end[] = { 1, 1, 4, 2 };

	(void)state;
	for_each_family(f)
	{
		frame_tcp_options(&frame, f->guest, 1, f->outside, 80, 2, linux_syn, 20);
		expect_pass();
		frame_tcp_options(&frame, f->guest, 1, f->outside, 80, 2, cookie, 16);
		expect_pass();
		frame_tcp_options(&frame, f->guest, 1, f->outside, 80, 2, ended, 4);
		expect_pass();
		frame_tcp_options(&frame, f->guest, 1, f->outside, 80, 2, unknown, 8);
		expect_pass();
		frame_tcp_options(&frame, f->guest, 1, f->outside, 80, 2, full, 40);
		expect_pass();
		frame_tcp_options(&frame, f->guest, 1, f->outside, 80, 2,
		    shortest_at_the_end, 4);
		expect_pass();
	}
}

static void
test_tcp_options(void **state)
{
	static const uint8_t bad[][4] = {
		{ 8, 0, 0, 0 }, /* length 0 */
		{ 8, 1, 0, 0 }, /* length 1 */
		{ 8, 5, 0, 0 }, /* past the header */
		{ 1, 1, 8, 3 },
		{ 1, 1, 1, 8 }, /* no room for a length */
		{ 2, 2, 1, 1 }, /* MSS without a value */
		{ 2, 3, 5, 1 }, /* half a value */
		{ 1, 2, 4, 5 }, /* cut off */
		{ 8, 255, 0, 0 },
	};
	static const uint8_t long_mss[8] = { 2, 6, 5, 0xb4, 0, 0, 1, 1 };

	(void)state;
	for_each_family(f)
	{
		for (size_t i = 0; i < N_OF(bad); i++) {
			frame_tcp_options(&frame, f->guest, 1, f->outside, 80, 2, bad[i],
			    4);
			expect_drop(tcp_options);
		}
		frame_tcp_options(&frame, f->guest, 1, f->outside, 80, 2, long_mss, 8);
		expect_drop(tcp_options);
	}
}

static void
test_tcp_urgent_is_cleared(void **state)
{
	static const struct {
		uint8_t flags;
		uint16_t pointer;
	} cases[] = { { 0x38, 1 }, { 0x38, 0xffff }, { 0x20, 0 }, { 0x18, 5 },
		{ 0x18, 0 }, { 0xff, 0x1234 } };

	(void)state;
	for_each_family(f)
	{
		for (size_t i = 0; i < N_OF(cases); i++) {
			frame_tcp(&frame, f->guest, 1000, f->outside, 80, cases[i].flags);
			store_be16(L4 + 18, cases[i].pointer);
			frame_fix_checksums(&frame);
			expect_pass();
			assert_int_equal(L4[13], cases[i].flags & ~0x20);
			assert_int_equal(load_be16(L4 + 18), 0);
			assert_true(frame_checksums_are_right(frame.bytes, frame.len));
			assert_int_equal(L4[12], 0x50);
		}
	}
}

static void
test_tcp_wrong_checksum_stays_wrong(void **state)
{
	(void)state;
	frame_tcp(&frame, GUEST4, 1000, OUTSIDE4, 80, 0x38);
	L4[16] ^= 0x40;
	expect_pass();
	assert_false(frame_checksums_are_right(frame.bytes, frame.len));
}

static void
test_tcp_group(void **state)
{
	static const char *const groups4[] = { "224.0.0.1", "239.1.1.1",
		"255.255.255.255", "10.0.2.255" };
	static const char *const groups6[] = { "ff01::1", "ff02::1", "ff05::2",
		"ff0e::1" };

	(void)state;
	for (int open = 0; open <= 1; open++) {
		gate_open(open, true);
		for (size_t i = 0; i < N_OF(groups4); i++) {
			frame_tcp(&frame, GUEST4, 1000, groups4[i], 80, 0x02);
			expect_drop(tcp_group);
		}
		for (size_t i = 0; i < N_OF(groups6); i++) {
			frame_tcp(&frame, GUEST6, 1000, groups6[i], 80, 0x02);
			expect_drop(tcp_group);
		}
	}
}

static void
test_udp_length(void **state)
{
	static const uint16_t bad[] = { 0, 1, 7, 21, 0xffff };

	(void)state;
	for_each_family(f)
	{
		for (size_t i = 0; i < N_OF(bad); i++) {
			frame_udp(&frame, f->guest, 1000, f->outside, 80, NULL, 12);
			store_be16(L4 + 4, bad[i]);
			expect_drop(udp_length);
		}
		for (size_t len = 0; len < 8; len++) {
			frame_ip(&frame, f->guest, f->outside, IPPROTO_UDP, NULL, len);
			expect_drop(udp_length);
		}
		frame_udp(&frame, f->guest, 1000, f->outside, 80, NULL, 0);
		expect_pass();
	}
}

static void
test_udp_is_trimmed_to_its_length(void **state)
{
	(void)state;
	for_each_family(f)
	{
		size_t ip_len = strchr(f->guest, ':') != NULL ? 40 : 20;

		/* The same datagram with five bytes more in the IP packet. */
		frame_udp(&frame, f->guest, 1000, f->outside, 80, NULL, 12);
		frame.len += 5;
		if (ip_len == 40) {
			store_be16(IP + 4, 25);
		} else {
			store_be16(IP + 2, 45);
			store_be16(IP + 10, (uint16_t)(load_be16(IP + 10) - 5));
		}
		expect_pass();
		assert_int_equal(parsed.len, 14 + ip_len + 20);
		assert_int_equal(parsed.l4_len, 20);
		frame.len = parsed.len;
		assert_true(frame_checksums_are_right(frame.bytes, frame.len));
		expect_pass();
		assert_int_equal(parsed.len, frame.len);
	}
}

static void
test_udp_checksum(void **state)
{
	(void)state;
	frame_udp(&frame, GUEST6, 1000, OUTSIDE6, 80, NULL, 12);
	store_be16(L4 + 6, 0);
	expect_drop(udp_checksum);
	frame_udp(&frame, GUEST4, 1000, OUTSIDE4, 80, NULL, 12);
	store_be16(L4 + 6, 0);
	expect_pass();
}

static void
test_tftp(void **state)
{
	static const char *const inside4[] = { HOST4, DNS4, "10.0.2.77", "10.0.2.255",
		"255.255.255.255" };
	static const char *const inside6[] = { HOST6, DNS6, "fd00::77", "fe80::2",
		"fe80::9", "ff02::1" };

	(void)state;
	for (int open = 0; open <= 1; open++) {
		gate_open(open, true);
		for (size_t i = 0; i < N_OF(inside4); i++) {
			frame_udp(&frame, GUEST4, 1000, inside4[i], 69, "\0\1x\0octet",
			    10);
			expect_drop(tftp);
		}
		for (size_t i = 0; i < N_OF(inside6); i++) {
			frame_udp(&frame, GUEST6, 1000, inside6[i], 69, "\0\1x\0octet",
			    10);
			expect_drop(tftp);
		}
		frame_udp(&frame, GUEST4, 1000, OUTSIDE4, 69, "\0\1x\0octet", 10);
		expect_pass();
		frame_udp(&frame, GUEST6, 1000, OUTSIDE6, 69, "\0\1x\0octet", 10);
		expect_pass();
	}
}

static void
test_dhcp_messages_of_clients_pass(void **state)
{
	static const uint8_t types[] = { 1, 3, 4, 7, 8 };
	static const uint8_t shortest[] = { 53, 1, 1, 255 };
	static const uint8_t padded[] = { 0, 0, 53, 1, 3, 0, 50, 4, 10, 0, 2, 15, 54, 4,
		10, 0, 2, 2, 255, 99, 99, 99 };

	(void)state;
	for (int open = 0; open <= 1; open++) {
		gate_open(open, false);
		for (size_t i = 0; i < N_OF(types); i++) {
			frame_dhcp(&frame, "255.255.255.255", types[i]);
			expect_pass();
			frame_dhcp(&frame, HOST4, types[i]);
			expect_pass();
		}
		frame_dhcp_options(&frame, HOST4, shortest, sizeof(shortest));
		expect_pass();
		frame_dhcp_options(&frame, HOST4, padded, sizeof(padded));
		expect_pass();
	}
}

/* Options in the form in which dhclient, systemd-networkd and Linux's own send them. */
static void
test_dhcp_of_known_clients_passes(void **state)
{
	static const uint8_t dhclient[60] = { 53, 1, 3, 50, 4, 10, 0, 2, 15, 12, 4, 'h',
		'o', 's', 't', 55, 13, 1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42,
		255 };
	static const uint8_t networkd[] = { 53, 1, 1, 61, 19, 0xff, 0x9f, 0x6e, 0x85,
		0x24, 0, 2, 0, 0, 0xab, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 55, 11, 1, 3, 12,
		15, 6, 33, 120, 121, 119, 42, 26, 57, 2, 5, 0xc0, 12, 4, 'h', 'o', 's',
		't', 255 };
	static const uint8_t linux_ip_dhcp[312 - 4] = { 53, 1, 1, 55, 9, 1, 3, 6, 12, 15,
		17, 26, 28, 40, 60, 12, 'L', 'i', 'n', 'u', 'x', ' ', 'i', 'p', 'c', 'o',
		'n', 'f', 255 };

	(void)state;
	frame_dhcp_options(&frame, "255.255.255.255", dhclient, sizeof(dhclient));
	expect_pass();
	frame_dhcp_options(&frame, "255.255.255.255", networkd, sizeof(networkd));
	expect_pass();
	frame_dhcp_options(&frame, "255.255.255.255", linux_ip_dhcp,
	    sizeof(linux_ip_dhcp));
	expect_pass();
}

static void
test_dhcp_head(void **state)
{
	static const struct {
		size_t offset;
		uint8_t value;
	} bad[] = {
		{ 0, 2 }, { 0, 0 },        /* a reply, nothing */
		{ 1, 6 }, { 1, 0 },        /* not Ethernet */
		{ 2, 16 }, { 2, 0 },       /* not its address */
		{ 236, 0 }, { 239, 0x64 }, /* no cookie: BOOTP */
	};

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		frame_dhcp(&frame, "255.255.255.255", 1);
		L4[8 + bad[i].offset] = bad[i].value;
		expect_drop(dhcp);
		frame_dhcp(&frame, HOST4, 1);
		L4[8 + bad[i].offset] = bad[i].value;
		expect_drop(dhcp);
	}
	for (size_t len = 0; len < 244; len += len < 230 ? 46 : 1) {
		frame_udp(&frame, GUEST4, 68, HOST4, 67, NULL, len);
		expect_drop(dhcp);
	}
	/* Plain BOOTP: all zeroes where DHCP has the cookie. */
	frame_dhcp_options(&frame, HOST4, NULL, 0);
	memset(L4 + 8 + 236, 0, 4);
	expect_drop(dhcp);
}

static void
test_dhcp_options(void **state)
{
	static const struct {
		size_t len;
		uint8_t bytes[12];
	} bad[] = {
		{ 0, { 0 } }, { 1, { 255 } },            /* no message type */
		{ 3, { 53, 1, 1 } },                     /* no end */
		{ 4, { 53, 1, 1, 0 } }, { 1, { 53 } },   /* cut off */
		{ 2, { 53, 1 } }, { 3, { 53, 0, 255 } }, /* of length 0, */
		{ 5, { 53, 2, 1, 1, 255 } },             /* of 2, */
		{ 7, { 53, 1, 1, 53, 1, 1, 255 } },      /* twice */
		{ 4, { 53, 1, 0, 255 } },                /* types that no client sends */
		{ 4, { 53, 1, 2, 255 } }, { 4, { 53, 1, 5, 255 } },
		{ 4, { 53, 1, 6, 255 } }, { 4, { 53, 1, 9, 255 } },
		{ 4, { 53, 1, 255, 255 } },
		{ 7, { 53, 1, 1, 52, 1, 1, 255 } }, /* overload */
		{ 7, { 53, 1, 1, 52, 1, 3, 255 } },
		{ 9, { 53, 1, 1, 50, 3, 10, 0, 2, 255 } }, /* requested address */
		{ 11, { 53, 1, 1, 50, 5, 10, 0, 2, 9, 9, 255 } },
		{ 7, { 53, 1, 1, 12, 3, 'h', 255 } }, /* past the packet */
		{ 6, { 53, 1, 1, 12, 255, 255 } }, { 5, { 53, 1, 1, 255 - 1, 255 } },
		{ 5, { 255, 53, 1, 1, 255 } }, /* behind the end */
	};

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		frame_dhcp_options(&frame, "255.255.255.255", bad[i].bytes, bad[i].len);
		expect_drop(dhcp);
		frame_dhcp_options(&frame, HOST4, bad[i].bytes, bad[i].len);
		expect_drop(dhcp);
	}
}

static void
test_dhcp_elsewhere_is_plain_udp(void **state)
{
	(void)state;
	frame_udp(&frame, GUEST4, 1000, OUTSIDE4, 67, NULL, 4);
	expect_pass();
	frame_udp(&frame, GUEST4, 1000, DNS4, 67, NULL, 4);
	expect_refuse(nameserver);
}

static void
test_dhcp6(void **state)
{
	static const uint8_t options[] = { 0, 1, 0, 10, 0, 3, 0, 1, 0x52, 0x54, 0, 0x12,
		0x34, 0x56, 0, 6, 0, 4, 0, 23, 0, 24, 0, 8, 0, 2, 0, 0 };
	static const char *const servers[] = { "ff02::1:2", HOST6 };
	static const struct {
		size_t len;
		uint8_t bytes[8];
	} bad[] = {
		{ 1, { 0 } }, { 3, { 0, 1, 0 } }, /* cut off */
		{ 4, { 0, 8, 0, 1 } }, { 8, { 0, 8, 0, 5, 0, 0, 0, 0 } },
		{ 8, { 0, 8, 0xff, 0xff, 0, 0, 0, 0 } },
		{ 7, { 0, 6, 0, 3, 0, 23, 0 } }, /* half an option wanted */
		{ 4, { 0, 3 } }, { 4, { 0, 4 } },
		{ 4, { 0, 25 } }, /* an address wanted */
	};

	(void)state;
	for (int open = 0; open <= 1; open++) {
		gate_open(open, true);
		for (size_t i = 0; i < N_OF(servers); i++) {
			const char *server = servers[i];
			uint8_t type = 0;

			frame_dhcp6(&frame, "fe80::100", server, 11, options,
			    sizeof(options));
			expect_pass();
			frame_dhcp6(&frame, "fe80::100", server, 11, NULL, 0);
			expect_pass();
			do {
				frame_dhcp6(&frame, "fe80::100", server, type, NULL, 0);
				expect_verdict(type == 11 ? GATE_PASS : GATE_DROP);
			} while (++type != 0);
			for (size_t n = 0; n < N_OF(bad); n++) {
				frame_dhcp6(&frame, "fe80::100", server, 11, bad[n].bytes,
				    bad[n].len);
				expect_drop(dhcp6);
			}
			for (size_t len = 0; len < 4; len++) {
				frame_udp(&frame, "fe80::100", 546, server, 547,
				    "\13\0\0", len);
				expect_drop(dhcp6);
			}
		}
	}
}

static void
test_dhcp6_limits(void **state)
{
	uint8_t options[2000] = { 0, 1, 0, 130 };

	(void)state;
	frame_dhcp6(&frame, GUEST6, HOST6, 11, options, 4 + 130);
	expect_pass();
	options[3] = 131; /* longer than any client's name */
	frame_dhcp6(&frame, GUEST6, HOST6, 11, options, 4 + 131);
	expect_drop(dhcp6);
	/* One long option, up to the last byte allowed and one more. */
	options[1] = 8;
	store_be16(options + 2, 1232 - 4 - 4);
	frame_dhcp6(&frame, GUEST6, HOST6, 11, options, 1232 - 4);
	expect_pass();
	store_be16(options + 2, 1233 - 4 - 4);
	frame_dhcp6(&frame, GUEST6, HOST6, 11, options, 1233 - 4);
	expect_drop(dhcp6);
	/* From another port, the answer would look like a datagram of a forward. */
	frame_udp(&frame, GUEST6, 5000, HOST6, 547, "\13\0\0\1", 4);
	expect_drop(dhcp6);
}

static void
test_icmp_length(void **state)
{
	(void)state;
	for (size_t len = 0; len < 8; len++) {
		frame_ip(&frame, GUEST4, OUTSIDE4, IPPROTO_ICMP, "\10\0\0\0\0\0\0\0",
		    len);
		expect_drop(icmp_length);
		frame_ip(&frame, GUEST6, HOST6, IPPROTO_ICMPV6, "\200\0\0\0\0\0\0\0",
		    len);
		expect_drop(icmp_length);
	}
}

static void
test_icmp_types(void **state)
{
	uint8_t icmp[64] = { 0 };

	(void)state;
	for (int type = 0; type < 256; type++) {
		icmp[0] = (uint8_t)type;
		if (type != 8) {
			frame_ip(&frame, GUEST4, HOST4, IPPROTO_ICMP, icmp, sizeof(icmp));
			expect_drop(icmp_type);
		}
		if (type != 128 && type != 133 && type != 135 && type != 136) {
			frame_ip(&frame, GUEST6, HOST6, IPPROTO_ICMPV6, icmp,
			    sizeof(icmp));
			expect_drop(icmp_type);
		}
	}
	for_each_family(f)
	{
		frame_echo(&frame, f->guest, f->host, 4);
		L4[1] = 1;
		expect_drop(icmp_type);
	}
}

/* A router of the guest quotes a segment that went from peer to the guest. */
static void
make_cut_too_big(const struct family *f, const char *router, const char *peer,
    uint32_t mtu_bytes, size_t icmp_len)
{
	bool is_ip6 = strchr(peer, ':') != NULL;
	uint8_t icmp[8 + 100] = { is_ip6 ? 2 : 3, is_ip6 ? 0 : 4 };
	struct frame segment;

	frame_tcp(&segment, peer, 80, f->guest, 40000, 0x10);
	store_be32(segment.bytes + frame_l4_offset(&segment) + 4, 0x12345678);
	store_be32(icmp + 4, mtu_bytes);
	memcpy(icmp + 8, segment.bytes + 14, segment.len - 14);
	frame_ip(&frame, router, peer, is_ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, icmp,
	    icmp_len);
}

static void
make_too_big(const struct family *f, const char *router, const char *peer,
    uint32_t mtu_bytes)
{
	make_cut_too_big(f, router, peer, mtu_bytes, 8 + 60);
}

/* The ICMP header, the quoted IP header, and TCP's ports and number. */
static size_t
shortest_too_big(const struct family *f)
{
	return strchr(f->guest, ':') ? 8 + 40 + 8 : 8 + 20 + 8;
}

static void
test_too_big_is_parsed(void **state)
{
	static const uint32_t mtus[] = { 0, 68, 1280, 65535 };

	(void)state;
	for_each_family(f)
	{
		const char *const peers[] = { f->outside, f->host, f->dns };

		for (size_t i = 0; i < N_OF(mtus) * N_OF(peers); i++) {
			const struct gate_icmp_error *error = &parsed.icmp_error;
			struct inaddr peer, guest;

			inaddr_parse(peers[i % N_OF(peers)], &peer);
			inaddr_parse(f->guest, &guest);
			make_too_big(f, f->guest, peers[i % N_OF(peers)],
			    mtus[i / N_OF(peers)]);
			expect_icmp_error();
			assert_true(parsed.icmp_error.is_too_big);
			assert_int_equal(error->mtu_bytes, mtus[i / N_OF(peers)]);
			assert_int_equal(error->seq, 0x12345678);
			assert_int_equal(error->key.guest_port, 40000);
			assert_int_equal(error->key.peer_port, 80);
			assert_int_equal(error->key.ethertype, parsed.ethertype);
			assert_memory_equal(error->key.peer_address, peer.bytes, 16);
			assert_memory_equal(error->key.guest_address, guest.bytes, 16);
		}
		/* The shortest quote. */
		make_cut_too_big(f, f->guest, f->outside, 1280, shortest_too_big(f));
		expect_icmp_error();
		assert_true(parsed.icmp_error.is_too_big);
		/* A router with an address of its own, behind the guest. */
		make_too_big(f, strchr(f->guest, ':') ? "fd00:1::1" : "172.17.0.1",
		    f->outside, 1280);
		expect_icmp_error();
		assert_true(parsed.icmp_error.is_too_big);
	}
}

/* Sets a byte of the quoted IP header, and corrects the checksum. */
static void
spoil_quote(const struct family *f, size_t at, uint8_t value)
{
	make_too_big(f, f->guest, f->outside, 1280);
	L4[8 + at] = value;
	frame_fix_checksums(&frame);
	expect_drop(icmp_type);
}

static void
test_too_big_with_a_bad_quote(void **state)
{
	(void)state;
	for_each_family(f)
	{
		bool is_ip6 = strchr(f->guest, ':') != NULL;

		for (size_t len = 8; len < shortest_too_big(f); len++) {
			make_cut_too_big(f, f->guest, f->outside, 1280, len);
			expect_drop(icmp_type);
		}
		/* Version, protocol, and the sender, which is the error's destination. */
		spoil_quote(f, 0, 0x55);
		spoil_quote(f, is_ip6 ? 6 : 9, IPPROTO_UDP);
		spoil_quote(f, is_ip6 ? 8 + 15 : 12 + 3, 99);
		make_too_big(f, f->guest, f->outside, 1280);
		L4[3] ^= 1;
		expect_drop(icmp_checksum);
	}
	/* IPv4: options, more fragments, a later fragment. */
	spoil_quote(&families[0], 0, 0x46);
	spoil_quote(&families[0], 6, 0x20);
	spoil_quote(&families[0], 7, 1);
}

static void
test_unreachable_is_parsed(void **state)
{
	/* RFC 792 and RFC 1122 3.2.2.1; RFC 4443 3.1. */
	static const uint8_t codes4[] = { 0, 1, 2, 3, 5, 13 };
	static const uint8_t codes6[] = { 0, 1, 3, 4, 6 };

	(void)state;
	for_each_family(f)
	{
		bool is_ip6 = strchr(f->guest, ':') != NULL;
		size_t n = is_ip6 ? N_OF(codes6) : N_OF(codes4);

		for (size_t i = 0; i < n; i++) {
			make_too_big(f, f->guest, f->outside, 0);
			L4[0] = is_ip6 ? 1 : 3;
			L4[1] = is_ip6 ? codes6[i] : codes4[i];
			frame_fix_checksums(&frame);
			expect_icmp_error();
			assert_false(parsed.icmp_error.is_too_big);
			assert_int_equal(parsed.icmp_error.seq, 0x12345678);
			assert_int_equal(parsed.icmp_error.key.guest_port, 40000);
			assert_int_equal(parsed.icmp_error.key.peer_port, 80);
		}
		L4[3] ^= 1;
		expect_drop(icmp_checksum);
	}
}

static void
test_too_big_from_or_to_nobody(void **state)
{
	static const char *const to4[] = { "224.0.0.1", "10.0.2.255", "255.255.255.255" };
	static const char *const to6[] = { "ff0e::1", "ff02::1", "fe80::2", "fe80::77" };

	(void)state;
	for (size_t i = 0; i < N_OF(to4); i++) {
		make_too_big(&families[0], GUEST4, to4[i], 1280);
		expect_drop(icmp_type);
	}
	for (size_t i = 0; i < N_OF(to6); i++) {
		make_too_big(&families[1], GUEST6, to6[i], 1280);
		expect_drop(icmp_type);
	}
	make_too_big(&families[0], "0.0.0.0", OUTSIDE4, 1280);
	expect_drop(ip4_source);
	make_too_big(&families[1], "::", OUTSIDE6, 1280);
	expect_drop(ip6_source);
	/* Only the guest's own addresses may send. */
	make_too_big(&families[0], HOST4, OUTSIDE4, 1280);
	expect_drop(ip4_source);
	make_too_big(&families[1], HOST6, OUTSIDE6, 1280);
	expect_drop(ip6_source);
}

static void
test_echo_passes(void **state)
{
	static const char *const to4[] = { HOST4, DNS4 };
	static const char *const to6[] = { HOST6, DNS6, "fe80::2", "fe80::3" };

	(void)state;
	for (int open = 0; open <= 1; open++) {
		gate_open(open, true);
		for (size_t i = 0; i < N_OF(to4); i++) {
			frame_echo(&frame, GUEST4, to4[i], 56);
			expect_pass();
			frame_echo(&frame, GUEST4, to4[i], 0);
			expect_pass();
		}
		for (size_t i = 0; i < N_OF(to6); i++) {
			frame_echo(&frame, GUEST6, to6[i], 56);
			expect_pass();
		}
	}
}

static void
test_echo_outside(void **state)
{
	(void)state;
	for (int open = 0; open <= 1; open++) {
		gate_open(open, true);
		for_each_family(f)
		{
			frame_echo(&frame, f->guest, f->outside, 56);
			expect_ping();
			frame_echo(&frame, f->guest, f->outside, 0);
			expect_ping();
			/* The kernel would correct the checksum. */
			L4[7] ^= 1;
			expect_drop(icmp_checksum);
		}
		frame_echo(&frame, GUEST6, "fd00:1::1", 56);
		expect_ping();
		frame_echo(&frame, GUEST6, "ff02::1", 56);
		expect_drop(ip6_link_scope);
		frame_echo(&frame, GUEST6, "fe80::77", 56);
		expect_drop(ip6_link_scope);
	}
}

static void
test_echo_to_groups(void **state)
{
	static const char *const groups[] = { "224.0.0.1", "239.1.2.3", "10.0.2.255",
		"255.255.255.255", "ff05::1", "ff0e::1" };

	(void)state;
	for (int open = 0; open <= 1; open++) {
		gate_open(open, true);
		for (size_t i = 0; i < N_OF(groups); i++) {
			bool is_ip6 = strchr(groups[i], ':') != NULL;

			frame_echo(&frame, is_ip6 ? GUEST6 : GUEST4, groups[i], 56);
			expect_drop(icmp_group);
		}
	}
}

static void
test_nd_passes(void **state)
{
	static const uint8_t options[] = { 1, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 14, 2,
		1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0 };

	(void)state;
	frame_nd(&frame, "fe80::100", "ff02::2", 133, NULL, options, 8);
	expect_pass();
	frame_nd(&frame, GUEST6, "ff02::1:ff00:2", 135, HOST6, options, sizeof(options));
	expect_pass();
	frame_nd(&frame, GUEST6, HOST6, 135, HOST6, options, 8);
	expect_pass();
	frame_nd(&frame, "fe80::100", "fe80::2", 135, "fe80::2", options, 8);
	expect_pass();
	frame_nd(&frame, GUEST6, HOST6, 136, GUEST6, options, 8);
	expect_pass();
	frame_nd(&frame, GUEST6, "ff02::1", 136, GUEST6, NULL, 0);
	expect_pass();
	frame_nd(&frame, "fe80::100", "fe80::2", 136, "fe80::100", options, 8);
	expect_pass();
}

static void
test_nd_message(void **state)
{
	static const uint8_t types[] = { 133, 135, 136 };
	static const struct {
		size_t len;
		uint8_t bytes[16];
	} bad_options[] = {
		{ 8, { 1, 0 } }, /* of no length */
		{ 8, { 1, 0, 1 } },
		{ 8, { 1, 2 } }, /* past the packet */
		{ 16, { 1, 1, 0, 0, 0, 0, 0, 0, 1, 0 } },
		{ 16, { 1, 255 } },
		{ 4, { 1, 1 } }, /* cut off */
		{ 1, { 1 } },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(types); i++) {
		const char *target = types[i] == 133 ? NULL : HOST6;

		frame_nd(&frame, GUEST6, HOST6, types[i], target, NULL, 0);
		IP[7] = 254;
		expect_drop(nd_message);
		frame_nd(&frame, GUEST6, HOST6, types[i], target, NULL, 0);
		L4[1] = 1;
		expect_drop(nd_message);
		for (size_t n = 0; n < N_OF(bad_options); n++) {
			frame_nd(&frame, GUEST6, HOST6, types[i], target,
			    bad_options[n].bytes, bad_options[n].len);
			expect_drop(nd_message);
		}
		/* Beyond the link. */
		frame_nd(&frame, GUEST6, OUTSIDE6, types[i], target, NULL, 0);
		expect_drop(nd_message);
		frame_nd(&frame, GUEST6, "ff05::2", types[i], target, NULL, 0);
		expect_drop(nd_message);
		if (target == NULL)
			continue;
		frame_nd(&frame, GUEST6, HOST6, types[i], "ff02::1", NULL, 0);
		expect_drop(nd_message);
		for (uint16_t len = 8; len < 24; len++) {
			frame_nd(&frame, GUEST6, HOST6, types[i], target, NULL, 0);
			store_be16(IP + 4, len);
			expect_drop(nd_message);
		}
	}
	/* A node without an address can neither advertise it nor ask a single
	 * neighbor. */
	frame_nd(&frame, "::", "ff02::1", 136, GUEST6, NULL, 0);
	expect_drop(nd_message);
	frame_nd(&frame, "::", HOST6, 135, HOST6, NULL, 0);
	expect_drop(nd_message);
	frame_nd(&frame, "::", "ff02::1", 135, HOST6, NULL, 0);
	expect_drop(nd_message);
}

static void
test_ip6_link_scope(void **state)
{
	static const char *const nobody[] = { "fe80::77", "fe80::2", "fe80::3",
		"fe80:0:0:1::2", "febf::1", "ff02::1", "ff02::2", "ff02::fb", "ff01::1",
		"ff12::1", "ff00::1" };

	(void)state;
	for (int open = 0; open <= 1; open++) {
		gate_open(open, true);
		for (size_t i = 0; i < N_OF(nobody); i++) {
			frame_udp(&frame, GUEST6, 1000, nobody[i], 80, NULL, 1);
			expect_drop(ip6_link_scope);
			if (strncmp(nobody[i], "ff", 2) == 0)
				continue;
			frame_tcp(&frame, GUEST6, 1000, nobody[i], 80, 0x02);
			expect_drop(ip6_link_scope);
			frame_tcp(&frame, GUEST6, 1000, nobody[i], 80, 0x10);
			expect_drop(ip6_link_scope);
		}
		frame_dhcp6(&frame, GUEST6, "fe80::2", 11, NULL, 0);
		expect_drop(ip6_link_scope);
		frame_dhcp6(&frame, GUEST6, "ff02::1:3", 11, NULL, 0);
		expect_drop(ip6_link_scope);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_header),
		cmocka_unit_test(test_tcp_options_that_are_well_formed_pass),
		cmocka_unit_test(test_tcp_options),
		cmocka_unit_test(test_tcp_urgent_is_cleared),
		cmocka_unit_test(test_tcp_wrong_checksum_stays_wrong),
		cmocka_unit_test(test_tcp_group),
		cmocka_unit_test(test_udp_length),
		cmocka_unit_test(test_udp_is_trimmed_to_its_length),
		cmocka_unit_test(test_udp_checksum),
		cmocka_unit_test(test_tftp),
		cmocka_unit_test(test_dhcp_messages_of_clients_pass),
		cmocka_unit_test(test_dhcp_of_known_clients_passes),
		cmocka_unit_test(test_dhcp_head),
		cmocka_unit_test(test_dhcp_options),
		cmocka_unit_test_setup(test_dhcp_elsewhere_is_plain_udp, loopback_closed),
		cmocka_unit_test(test_dhcp6),
		cmocka_unit_test(test_dhcp6_limits),
		cmocka_unit_test(test_icmp_length),
		cmocka_unit_test(test_icmp_types),
		cmocka_unit_test(test_too_big_is_parsed),
		cmocka_unit_test(test_too_big_with_a_bad_quote),
		cmocka_unit_test(test_unreachable_is_parsed),
		cmocka_unit_test(test_too_big_from_or_to_nobody),
		cmocka_unit_test(test_echo_passes),
		cmocka_unit_test(test_echo_outside),
		cmocka_unit_test(test_echo_to_groups),
		cmocka_unit_test(test_nd_passes),
		cmocka_unit_test(test_nd_message),
		cmocka_unit_test(test_ip6_link_scope),
	};

	loopback_closed(NULL);
	return cmocka_run_group_tests_name("gate_l4", tests, NULL, NULL);
}
