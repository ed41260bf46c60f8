/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's frames through gate, reassembly, refusal, the table of neighbours and the
 * DHCPv6 server, with frames to the guest and time in between. What comes out is held against the gate's
 * promises by code of its own.
 *
 * Input: a byte of configuration, then steps of a byte (what), two (length), and that
 * many bytes of frame. Checksums of IPv4 headers and of ICMPv6 are made right for one kind
 * of step, since chance hardly finds them.
 */
#include "frames.h"

#include "base/bytes.h"
#include "slirp-worker/engine/link/dhcp6.h"
#include "slirp-worker/gate/gate.h"
#include "slirp-worker/gate/neigh.h"
#include "slirp-worker/gate/reass.h"
#include "slirp-worker/gate/refusal.h"
#include "slirp-worker/wire/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum step { STEP_FRAME, STEP_FRAME_FIXED, STEP_TO_GUEST, STEP_TIME, STEP_N };

/* More than enough for what fits into an input. */
#define FLOWS_MAX 4096

static struct gate gate;
static struct reass reass;
static struct neigh neigh;
static struct flow_key flows[FLOWS_MAX];
static size_t n_flows;
static uint64_t now_ms;

#define promise(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, \
			    #condition); \
			abort(); \
		} \
	} while (0)

/* The UDP engine, which has the gateway's flows alone. */
static bool
knows_udp(void *ctx, const struct flow_key *key)
{
	(void)ctx;
	for (size_t i = 0; i < n_flows; i++)
		if (memcmp(&flows[i], key, sizeof(*key)) == 0)
			return true;
	return false;
}

static void
begin(uint8_t options)
{
	struct gate_config config = {
		.allow_host_loopback = (options & 1) != 0,
		.enable_ipv6 = (options & 2) == 0,
		.enable_dns = (options & 4) == 0,
	};

	inet_pton(AF_INET, "10.0.2.0", &config.network_be);
	inet_pton(AF_INET, "255.255.255.0", &config.netmask_be);
	inet_pton(AF_INET, "10.0.2.2", &config.host_be);
	inet_pton(AF_INET, "10.0.2.3", &config.nameserver_be);
	inet_pton(AF_INET6, "fd00::", &config.prefix6);
	inet_pton(AF_INET6, "fd00::2", &config.host6);
	inet_pton(AF_INET6, "fd00::3", &config.nameserver6);
	gate_init(&gate, &config);
	gate.knows_udp = knows_udp;
	if (reass.datagrams == NULL && reass_init(&reass) == -1)
		abort();
	reass_expire(&reass, UINT64_MAX);
	neigh.n = 0;
	n_flows = 0;
	now_ms = 1000000;
}

static bool
flow_was_noted(uint16_t ethertype, const uint8_t *guest, const uint8_t *udp)
{
	for (size_t i = 0; i < n_flows; i++) {
		if (flows[i].ethertype == ethertype &&
		    memcmp(flows[i].guest_address, guest, ethertype == 0x0800 ? 4 : 16) ==
			0 &&
		    flows[i].guest_port == load_be16(udp) &&
		    flows[i].peer_port == load_be16(udp + 2))
			return true;
	}
	return false;
}

/* A peer on the host's loopback sends this by a forward. */
static void
to_guest(const uint8_t *frame, size_t len)
{
	const uint8_t *guest = NULL, *udp = NULL;

	if (len >= 14 + 28 && load_be16(frame + 12) == 0x0800 && frame[23] == 17 &&
	    load_be32(frame + 26) == 0x0a000202) {
		guest = frame + 30;
		udp = frame + 34;
	} else if (len >= 14 + 48 && load_be16(frame + 12) == 0x86dd && frame[20] == 17) {
		guest = frame + 38;
		udp = frame + 54;
	}
	if (udp != NULL && n_flows < FLOWS_MAX) {
		bool is_ip6 = load_be16(frame + 12) != 0x0800;
		struct flow_key *key = &flows[n_flows++];

		*key = flow_key_udp(load_be16(frame + 12), guest, load_be16(udp + 2),
		    load_be16(udp));
		memcpy(key->peer_address, frame + (is_ip6 ? 22 : 26), is_ip6 ? 16 : 4);
	}
}

/* What stands for the host's loopback while it is closed, in whatever release. */
struct destination {
	bool is_network, is_host, is_nameserver, is_broadcast, is_link;
};

static struct destination
destination_of(const uint8_t *frame)
{
	static const uint8_t prefix[16] = { 0xfd };
	struct destination d = { 0 };
	const uint8_t *dst = frame + 38;

	if (load_be16(frame + 12) == 0x0800) {
		uint32_t address = load_be32(frame + 30);

		promise(address >> 24 != 0 && address >> 24 != 127);
		promise(address >> 28 != 15 || address == 0xffffffff);
		d.is_network = address >> 8 == 0x0a0002;
		d.is_host = address == 0x0a000202;
		d.is_nameserver = address == 0x0a000203;
		d.is_broadcast = address == 0xffffffff;
		return d;
	}
	promise(load_be32(dst) != 0 || load_be32(dst + 4) != 0 ||
	    (load_be32(dst + 8) != 0 && load_be32(dst + 8) != 0xffff));
	d.is_network = memcmp(dst, prefix, 8) == 0;
	d.is_host = memcmp(dst, prefix, 15) == 0 && dst[15] == 2;
	d.is_nameserver = memcmp(dst, prefix, 15) == 0 && dst[15] == 3;
	d.is_link =
	    (dst[0] == 0xfe && dst[1] >> 6 == 2) || (dst[0] == 0xff && dst[1] % 16 <= 2);
	return d;
}

static void
check_source(const uint8_t *frame, uint8_t protocol)
{
	const uint8_t *src = frame + 22;

	if (load_be16(frame + 12) == 0x0800) {
		uint32_t address = load_be32(frame + 26);

		promise(address == 0 ? protocol == 17 &&
			    load_be16(frame + (14 + (frame[14] & 15) * 4) + 2) == 67
				     : address >> 24 != 0);
		promise(address >> 24 != 127 && address >> 28 < 14);
		promise(address != 0x0a000202 && address != 0x0a000203 &&
		    address != 0x0a0002ff);
		return;
	}
	promise(src[0] != 0xff);
	if (load_be32(src) == 0 && load_be32(src + 4) == 0 && load_be32(src + 8) == 0)
		promise(load_be32(src + 12) == 0 && protocol == 58 && frame[54] != 128);
}

static void
check_passed_tcp(const uint8_t *frame, const struct gate_frame *parsed,
    struct destination d)
{
	const uint8_t *tcp = frame + parsed->l4_offset;

	promise(parsed->l4_len >= 20 && tcp[12] >> 4 >= 5);
	promise((size_t)(tcp[12] >> 4) * 4 <= parsed->l4_len);
	promise((tcp[13] & 0x20) == 0 && load_be16(tcp + 18) == 0);
	promise(!d.is_link && !d.is_broadcast);
	if (d.is_nameserver)
		promise(gate.config.enable_dns && load_be16(tcp + 2) == 53);
	else if (d.is_network && !gate.config.allow_host_loopback)
		promise((tcp[13] & 0x12) != 0x02);
}

static void
check_dhcp6(const uint8_t *frame, const struct gate_frame *parsed)
{
	const struct ipc_network network = {
		.host6 = gate.config.host6,
		.nameserver6 = gate.config.nameserver6,
		.enable_dns = gate.config.enable_dns,
	};
	uint8_t answer[DHCP6_ANSWER_MAX];
	size_t len = dhcp6_answer(&network, frame, parsed, answer);

	promise(len <= sizeof(answer));
	if (len == 0)
		return;
	promise(memcmp(answer, frame + 6, 6) == 0 && (answer[6] & 1) == 0);
	promise(memcmp(answer + 38, frame + 22, 16) == 0);
	promise(frame_checksums_are_right(answer, len));
}

static void
check_passed_udp(const uint8_t *frame, const struct gate_frame *parsed,
    struct destination d)
{
	const uint8_t *udp = frame + parsed->l4_offset;
	bool is_ip4 = parsed->ethertype == 0x0800;
	uint16_t port;

	promise(parsed->l4_len >= 8 && load_be16(udp + 4) == parsed->l4_len);
	promise(is_ip4 || load_be16(udp + 6) != 0);
	port = load_be16(udp + 2);
	promise(port != 69 || !(d.is_network || d.is_link || d.is_broadcast));
	if (is_ip4 && port == 67 && (d.is_host || d.is_broadcast)) {
		promise(parsed->l4_len >= 8 + 244);
		promise(load_be32(udp + 8 + 236) == 0x63825363);
		return;
	}
	if (!is_ip4 && port == 547 && (d.is_host || d.is_link)) {
		promise(parsed->l4_len <= 1240 && udp[8] == 11 && load_be16(udp) == 546);
		check_dhcp6(frame, parsed);
		return;
	}
	promise(!d.is_link);
	if (d.is_nameserver) {
		promise(gate.config.enable_dns && port == 53);
	} else if (!gate.config.allow_host_loopback) {
		promise(!d.is_broadcast);
		if (d.is_network)
			promise(d.is_host &&
			    flow_was_noted(parsed->ethertype, frame + (is_ip4 ? 26 : 22),
				udp));
	}
}

static void
check_passed_icmp(const uint8_t *frame, const struct gate_frame *parsed,
    struct destination d)
{
	const uint8_t *icmp = frame + parsed->l4_offset;

	promise(parsed->l4_len >= 8 && icmp[1] == 0);
	if (parsed->ethertype == 0x0800) {
		promise(icmp[0] == 8 && (d.is_host || d.is_nameserver));
		return;
	}
	promise(icmp[0] == 128 || icmp[0] == 133 || icmp[0] == 135 || icmp[0] == 136);
	promise(d.is_link || d.is_network);
	if (icmp[0] == 128)
		promise(d.is_host || d.is_nameserver || d.is_link);
	else
		promise(
		    frame[21] == 255 && frame_checksums_are_right(frame, parsed->len));
}

/* What goes to ping sockets: an echo request to one host, whose checksums are right. */
static void
check_ping(const uint8_t *frame, const struct gate_frame *parsed, struct destination d)
{
	const uint8_t *icmp = frame + parsed->l4_offset;

	promise(parsed->l4_len >= 8 && icmp[1] == 0);
	promise(icmp[0] == (parsed->ethertype == 0x0800 ? 8 : 128));
	promise(!d.is_host && !d.is_nameserver && !d.is_link && !d.is_broadcast);
	promise(!d.is_network || gate.config.allow_host_loopback);
	promise(
	    parsed->ethertype == 0x0800 ? (frame[30] & 0xf0) != 0xe0 : frame[38] != 0xff);
	promise(frame_checksums_are_right(frame, parsed->len));
}

/* An error of a router or the guest: its quote is of the address that it goes to. */
static void
check_icmp_error(const uint8_t *frame, const struct gate_frame *parsed,
    struct destination d)
{
	const uint8_t *icmp = frame + parsed->l4_offset;
	bool is_ip4 = parsed->ethertype == 0x0800;
	const struct flow_key *key = &parsed->icmp_error.key;
	bool is_too_big = is_ip4 ? icmp[1] == 4 : icmp[0] == 2;

	promise(is_ip4 ? icmp[0] == 3 : icmp[0] == 1 || icmp[0] == 2);
	promise(parsed->icmp_error.is_too_big == is_too_big);
	promise(parsed->l4_len >= 8 + (is_ip4 ? 20u : 40u) + 8);
	promise(!d.is_link && !d.is_broadcast);
	promise(memcmp(key->peer_address, parsed->dst, is_ip4 ? 4 : 16) == 0);
	promise(key->protocol == IPPROTO_TCP && key->ethertype == parsed->ethertype);
	promise(frame_checksums_are_right(frame, parsed->len));
}

static void
check_passed(uint8_t *frame, size_t len, const struct gate_frame *parsed,
    enum gate_verdict verdict)
{
	struct gate_frame again;
	struct destination d;

	promise(parsed->len <= len && (frame[6] & 1) == 0);
	promise(parsed->ethertype == load_be16(frame + 12));
	promise(gate_check(&gate, frame, parsed->len, now_ms, &again) == verdict);
	promise(again.len == parsed->len && again.l4_offset == parsed->l4_offset);
	promise(again.l4_len == parsed->l4_len && again.protocol == parsed->protocol);
	if (parsed->ethertype == 0x0806) {
		promise(parsed->len == 42);
		return;
	}

	promise(parsed->l4_offset + parsed->l4_len == parsed->len);
	if (parsed->ethertype == 0x0800) {
		promise(frame[14] >= 0x45 && frame[14] <= 0x4f && frame[22] != 0);
		promise(parsed->l4_offset == 14 + (size_t)(frame[14] & 15) * 4);
		promise(load_be16(frame + 16) == parsed->len - 14);
		promise((load_be16(frame + 20) & ~0x4000) == 0);
		promise(parsed->protocol == frame[23]);
	} else {
		promise(parsed->ethertype == 0x86dd && gate.config.enable_ipv6);
		promise(frame[14] >> 4 == 6 && frame[21] != 0);
		promise(load_be16(frame + 18) == parsed->len - 54);
		promise(parsed->l4_offset == 54 && parsed->protocol == frame[20]);
	}
	d = destination_of(frame);
	check_source(frame, parsed->protocol);
	switch (parsed->protocol) {
	case IPPROTO_TCP:
		check_passed_tcp(frame, parsed, d);
		break;
	case IPPROTO_UDP:
		check_passed_udp(frame, parsed, d);
		break;
	default:
		promise(parsed->protocol == (parsed->ethertype == 0x0800 ? 1 : 58));
		if (verdict == GATE_PING)
			check_ping(frame, parsed, d);
		else if (verdict == GATE_ICMP_ERROR)
			check_icmp_error(frame, parsed, d);
		else
			check_passed_icmp(frame, parsed, d);
	}
}

/* Nobody else gets frames that are for the stack. */
static void
learn(const uint8_t *frame, const struct gate_frame *parsed)
{
	static const char *const own[] = { "10.0.2.2", "10.0.2.3", "fd00::2", "fd00::3",
		"fe80::2", "fe80::3" };

	neigh_learn(&neigh, &gate, frame, parsed, now_ms);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct inaddr addr;
		struct mac mac;

		inaddr_parse(own[i], &addr);
		promise(!neigh_find(&neigh, &addr, now_ms, &mac));
	}
	for (size_t i = 0; i < neigh.n; i++)
		promise((neigh.entries[i].mac.octets[0] & 1) == 0);
}

static void
check_refused(const uint8_t *frame, const struct gate_frame *parsed)
{
	uint8_t answer[REFUSAL_MAX_LEN];
	size_t len = refusal_build(parsed, frame, answer, sizeof(answer));

	promise(len <= sizeof(answer));
	if (len == 0)
		return;
	promise((answer[0] & 1) == 0 && (answer[6] & 1) == 0);
	promise(
	    memcmp(answer, frame + 6, 6) == 0 && memcmp(answer + 12, frame + 12, 2) == 0);
	promise(frame_checksums_are_right(answer, len));
	promise(len - 14 <= (parsed->ethertype == 0x0800 ? 576 : 1280));
}

static void
from_guest(uint8_t *frame, size_t len, bool may_be_fragment)
{
	enum ipc_drop_reason reason;
	struct gate_frame parsed;
	uint8_t *whole;
	size_t whole_len;

	switch (gate_check(&gate, frame, len, now_ms, &parsed)) {
	case GATE_PASS:
		check_passed(frame, len, &parsed, GATE_PASS);
		learn(frame, &parsed);
		break;
	case GATE_PING:
		promise(
		    parsed.protocol == IPPROTO_ICMP || parsed.protocol == IPPROTO_ICMPV6);
		check_passed(frame, len, &parsed, GATE_PING);
		learn(frame, &parsed);
		break;
	case GATE_ICMP_ERROR:
		check_passed(frame, len, &parsed, GATE_ICMP_ERROR);
		break;
	case GATE_REFUSE:
		check_refused(frame, &parsed);
		break;
	case GATE_FRAGMENT:
		promise(may_be_fragment);
		promise(
		    parsed.l4_offset + parsed.l4_len == parsed.len && parsed.len <= len);
		switch (reass_add(&reass, &parsed, frame, now_ms, &whole, &whole_len,
		    &reason)) {
		case REASS_COMPLETE:
			promise(whole_len <= 14 + 40 + 65535);
			from_guest(whole, whole_len, false);
			break;
		case REASS_DROPPED:
			promise(reason < IPC_DROP_N);
			break;
		case REASS_KEPT:
			promise(reass_next_deadline(&reass) <= now_ms + REASS_LIFE6_MS);
			break;
		}
		break;
	case GATE_DROP:
		promise(parsed.reason < IPC_DROP_N);
		break;
	}
}

static void
fix_header(uint8_t *frame, size_t len)
{
	uint32_t sum = 0;
	size_t header_len;

	if (len < 34 || load_be16(frame + 12) != 0x0800)
		return;
	header_len = (size_t)(frame[14] & 15) * 4;
	if (header_len < 20 || header_len > len - 14)
		return;
	store_be16(frame + 24, 0);
	for (size_t i = 0; i < header_len; i += 2)
		sum += load_be16(frame + 14 + i);
	sum = (sum & 0xffff) + (sum >> 16);
	store_be16(frame + 24, (uint16_t) ~((sum & 0xffff) + (sum >> 16)));
}

static void
fix_icmp6(uint8_t *frame, size_t len)
{
	struct ip_packet ip;
	uint8_t *icmp = frame + 54;

	if (!ip_parse(frame, len, &ip) || !ip.is_ip6 || ip.protocol != 58 ||
	    ip.payload_len < 4)
		return;
	store_be16(icmp + 2, 0);
	store_be16(icmp + 2, ip_l4_checksum(ip.header, 58, icmp, ip.payload_len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	begin(data[0]);
	data++;
	size--;
	while (size >= 3) {
		enum step step = data[0] % STEP_N;
		size_t len = load_be16(data + 1);
		uint8_t *frame;

		data += 3;
		size -= 3;
		if (step == STEP_TIME) {
			now_ms += len * 8;
			reass_expire(&reass, now_ms);
			continue;
		}
		if (len > size)
			len = size;
		/* A block of its own, so that a byte too far is seen. */
		frame = malloc(len + 1);
		if (frame == NULL)
			return 0;
		memcpy(frame + 1, data, len);
		if (step == STEP_FRAME_FIXED) {
			fix_header(frame + 1, len);
			fix_icmp6(frame + 1, len);
		}
		if (step == STEP_TO_GUEST)
			to_guest(frame + 1, len);
		else
			from_guest(frame + 1, len, true);
		free(frame);
		data += len;
		size -= len;
	}
	return 0;
}
