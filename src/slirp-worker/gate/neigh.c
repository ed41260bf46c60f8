/* SPDX-License-Identifier: BSD-2-Clause */
/* Remembers the guest's MACs, and writes the requests for unknown ones. */
#include "slirp-worker/gate/neigh.h"

#include "base/bytes.h"
#include "slirp-worker/gate/gate_l4.h"
#include "slirp-worker/wire/ip.h"

#include <assert.h>
#include <string.h>

static_assert(MAC_LEN == WIRE_MAC_LEN, "a MAC has one length");

/* RFC 2464 7: 33:33, then the last four bytes of the group's address. */
#define GROUP6_MAC_PREFIX 0x33
#define GROUP6_MAC_ADDRESS_LEN 4

static const struct neigh_entry *
find(const struct neigh *neigh, const struct inaddr *addr)
{
	if (neigh->n > 0 && inaddr_is_equal(&neigh->entries[neigh->last].addr, addr))
		return &neigh->entries[neigh->last];
	for (size_t i = 0; i < neigh->n; i++)
		if (inaddr_is_equal(&neigh->entries[i].addr, addr))
			return &neigh->entries[i];
	return NULL;
}

static size_t
find_oldest(const struct neigh *neigh)
{
	size_t oldest = 0;

	for (size_t i = 1; i < neigh->n; i++)
		if (neigh->entries[i].seen_ms < neigh->entries[oldest].seen_ms)
			oldest = i;
	return oldest;
}

static void
note(struct neigh *neigh, const struct inaddr *addr, const uint8_t *mac, uint64_t now_ms)
{
	const struct neigh_entry *known = find(neigh, addr);
	struct neigh_entry *entry;

	/* A node without an address yet. */
	if (inaddr_is_unspecified(addr))
		return;
	if (known)
		neigh->last = (size_t)(known - neigh->entries);
	else
		neigh->last = neigh->n < NEIGH_MAX ? neigh->n++ : find_oldest(neigh);
	entry = &neigh->entries[neigh->last];
	entry->addr = *addr;
	memcpy(entry->mac.octets, mac, MAC_LEN);
	entry->seen_ms = now_ms;
}

static void
learn_arp(struct neigh *neigh, const uint8_t *arp, uint64_t now_ms)
{
	const struct inaddr sender = inaddr_from_bytes(arp + WIRE_ARP_SENDER_IP, false);

	note(neigh, &sender, arp + WIRE_ARP_SENDER_MAC, now_ms);
}

/* The MAC of the first option of this kind, or NULL. */
static const uint8_t *
find_mac_option(const uint8_t *option, size_t len, uint8_t kind)
{
	while (len >= WIRE_ND_OPTION_UNIT) {
		size_t option_len = (size_t)option[1] * WIRE_ND_OPTION_UNIT;

		if (option_len == 0 || option_len > len)
			break;
		if (option[0] == kind)
			return option + WIRE_ND_OPTION_MAC;
		option += option_len;
		len -= option_len;
	}
	return NULL;
}

/* RFC 4861 7.2.5. The target can be another address than the source, which the gate has
 * checked as well as the checksum. */
static void
learn_advertisement(struct neigh *neigh, const struct gate *gate, const uint8_t *frame,
    const struct gate_frame *parsed, uint64_t now_ms)
{
	const uint8_t *nd = frame + parsed->l4_offset;
	const struct inaddr target = inaddr_from_bytes(nd + WIRE_ND_TARGET, true);
	const uint8_t *mac;

	mac = find_mac_option(nd + WIRE_ND_NEIGHBOR_LEN,
	    parsed->l4_len - WIRE_ND_NEIGHBOR_LEN, WIRE_ND_TARGET_MAC);
	if (mac && gate_mac_is_one_host(mac) && gate_may_be_guest6(gate, target.bytes))
		note(neigh, &target, mac, now_ms);
}

static bool
is_advertisement(const uint8_t *frame, const struct gate_frame *parsed)
{
	return parsed->protocol == IPPROTO_ICMPV6 &&
	    frame[parsed->l4_offset + WIRE_ICMP_TYPE] ==
	    WIRE_ICMP6_NEIGHBOR_ADVERTISEMENT;
}

void
neigh_learn(struct neigh *neigh, const struct gate *gate, const uint8_t *frame,
    const struct gate_frame *parsed, uint64_t now_ms)
{
	struct inaddr source;

	if (parsed->ethertype == WIRE_TYPE_ARP) {
		learn_arp(neigh, frame + WIRE_ETH_LEN, now_ms);
		return;
	}
	source = inaddr_from_bytes(parsed->src, parsed->ethertype == WIRE_TYPE_IP6);
	note(neigh, &source, frame + WIRE_ETH_SRC, now_ms);
	if (is_advertisement(frame, parsed))
		learn_advertisement(neigh, gate, frame, parsed, now_ms);
}

bool
neigh_find(const struct neigh *neigh, const struct inaddr *addr, uint64_t now_ms,
    struct mac *mac)
{
	const struct neigh_entry *entry = find(neigh, addr);

	if (!entry || now_ms >= entry->seen_ms + NEIGH_LIFE_MS)
		return false;
	*mac = entry->mac;
	return true;
}

static size_t
write_arp_request(uint8_t *out, const struct inaddr *addr, const struct inaddr *asker,
    const struct mac *asker_mac)
{
	uint8_t *arp = out + WIRE_ETH_LEN;

	memset(out + WIRE_ETH_DST, 0xff, WIRE_MAC_LEN);
	memcpy(out + WIRE_ETH_SRC, asker_mac->octets, WIRE_MAC_LEN);
	store_be16(out + WIRE_ETH_TYPE, WIRE_TYPE_ARP);
	store_be16(arp + WIRE_ARP_HARDWARE, WIRE_ARP_ETHERNET);
	store_be16(arp + WIRE_ARP_PROTOCOL, WIRE_TYPE_IP4);
	arp[WIRE_ARP_HARDWARE_LEN] = WIRE_MAC_LEN;
	arp[WIRE_ARP_PROTOCOL_LEN] = 4;
	store_be16(arp + WIRE_ARP_OPERATION, WIRE_ARP_REQUEST);
	memcpy(arp + WIRE_ARP_SENDER_MAC, asker_mac->octets, WIRE_MAC_LEN);
	memcpy(arp + WIRE_ARP_SENDER_IP, asker->bytes, 4);
	memset(arp + WIRE_ARP_TARGET_MAC, 0, WIRE_MAC_LEN);
	memcpy(arp + WIRE_ARP_TARGET_IP, addr->bytes, 4);
	return WIRE_ETH_LEN + WIRE_ARP_LEN;
}

static size_t
write_solicitation(uint8_t *out, const struct inaddr *addr, const struct inaddr *asker,
    const struct mac *asker_mac)
{
	const size_t nd_len = WIRE_ND_NEIGHBOR_LEN + WIRE_ND_OPTION_UNIT;
	uint8_t group[16],
	    group_mac[WIRE_MAC_LEN] = { GROUP6_MAC_PREFIX, GROUP6_MAC_PREFIX };
	const struct ip_head head = {
		.dst_mac = group_mac,
		.src_mac = asker_mac->octets,
		.src = asker->bytes,
		.dst = group,
		.is_ip6 = true,
		.protocol = IPPROTO_ICMPV6,
		.ttl = WIRE_ND_HOP_LIMIT,
	};
	uint8_t *nd, *option;
	size_t head_len;

	memcpy(group, addr->bytes, sizeof(group));
	memcpy(group, gate_solicited_node_prefix, GATE_SOLICITED_NODE_PREFIX_LEN);
	memcpy(group_mac + WIRE_MAC_LEN - GROUP6_MAC_ADDRESS_LEN,
	    group + sizeof(group) - GROUP6_MAC_ADDRESS_LEN, GROUP6_MAC_ADDRESS_LEN);
	head_len = ip_head_write(out, &head, nd_len);
	nd = out + head_len;
	memset(nd, 0, nd_len);
	nd[WIRE_ICMP_TYPE] = WIRE_ICMP6_NEIGHBOR_SOLICITATION;
	memcpy(nd + WIRE_ND_TARGET, addr->bytes, 16);
	option = nd + WIRE_ND_NEIGHBOR_LEN;
	option[0] = WIRE_ND_SOURCE_MAC;
	option[1] = 1;
	memcpy(option + WIRE_ND_OPTION_MAC, asker_mac->octets, WIRE_MAC_LEN);
	store_be16(nd + WIRE_ICMP_CHECKSUM,
	    ip_l4_checksum(out + WIRE_ETH_LEN, IPPROTO_ICMPV6, nd, nd_len));
	return head_len + nd_len;
}

size_t
neigh_write_request(uint8_t out[NEIGH_REQUEST_MAX], const struct inaddr *addr,
    const struct inaddr *asker, const struct mac *asker_mac)
{
	return addr->is_ipv6 ? write_solicitation(out, addr, asker, asker_mac)
			     : write_arp_request(out, addr, asker, asker_mac);
}
