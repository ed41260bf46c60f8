/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers information requests of DHCPv6. */
#include "slirp-worker/engine/link/dhcp6.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/engine/gateway.h"

/* RFC 8415 7.3 */
#define DHCP6_REPLY 7

/* RFC 8415 11.4: DUID-LL, Ethernet, and the MAC. */
#define SERVER_DUID_LEN (4 + WIRE_MAC_LEN)

/* The usual initial hop limit. */
#define ANSWER_HOP_LIMIT 64

#define MESSAGE_OFFSET (IP_HEAD_MAX + WIRE_UDP_LEN)

/* The options of a request that the answer depends on; borrows the request. */
struct wishes {
	const uint8_t *client_id, *server_id; /* data; NULL: none */
	size_t client_id_len, server_id_len;
	bool wants_dns;
};

static bool
asks_for_dns(const uint8_t *codes, size_t len)
{
	for (size_t i = 0; i + 2 <= len; i += 2)
		if (load_be16(codes + i) == WIRE_DHCP6_DNS)
			return true;
	return false;
}

/* The gate has checked the lengths. */
static struct wishes
read_options(const uint8_t *option, size_t len)
{
	struct wishes wishes = { 0 };

	while (len > 0) {
		const uint8_t *data = option + WIRE_DHCP6_OPTION_LEN;
		size_t data_len = load_be16(option + 2);

		switch (load_be16(option)) {
		case WIRE_DHCP6_CLIENT_ID:
			wishes.client_id = data;
			wishes.client_id_len = data_len;
			break;
		case WIRE_DHCP6_SERVER_ID:
			wishes.server_id = data;
			wishes.server_id_len = data_len;
			break;
		case WIRE_DHCP6_REQUEST:
			wishes.wants_dns =
			    wishes.wants_dns || asks_for_dns(data, data_len);
			break;
		}
		option += WIRE_DHCP6_OPTION_LEN + data_len;
		len -= WIRE_DHCP6_OPTION_LEN + data_len;
	}
	return wishes;
}

static void
put_option(uint8_t *message, size_t *at, uint16_t code, const void *data, size_t data_len)
{
	uint8_t *option = message + *at;

	store_be16(option, code);
	store_be16(option + 2, (uint16_t)data_len);
	memcpy(option + WIRE_DHCP6_OPTION_LEN, data, data_len);
	*at += WIRE_DHCP6_OPTION_LEN + data_len;
}

/* Writes headers and checksum for a message of message_len bytes. Returns the frame's
 * length. */
static size_t
put_headers(uint8_t *out, const uint8_t *frame, const struct gate_frame *request,
    const struct ipc_network *network, const struct mac *mac, size_t message_len)
{
	const struct ip_head head = {
		.dst_mac = frame + WIRE_ETH_SRC,
		.src_mac = mac->octets,
		.src = network->host6.s6_addr,
		.dst = request->src,
		.is_ip6 = true,
		.protocol = IPPROTO_UDP,
		.ttl = ANSWER_HOP_LIMIT,
	};
	uint16_t udp_len = (uint16_t)(WIRE_UDP_LEN + message_len), checksum;
	uint8_t *udp = out + ip_head_write(out, &head, udp_len);

	store_be16(udp + WIRE_UDP_SRC_PORT, GATE_DHCP6_SERVER_PORT);
	store_be16(udp + WIRE_UDP_DST_PORT, GATE_DHCP6_CLIENT_PORT);
	store_be16(udp + WIRE_UDP_LENGTH, udp_len);
	store_be16(udp + WIRE_UDP_CHECKSUM, 0);
	checksum = ip_l4_checksum(out + WIRE_ETH_LEN, IPPROTO_UDP, udp, udp_len);
	store_be16(udp + WIRE_UDP_CHECKSUM, checksum != 0 ? checksum : UINT16_MAX);
	return IP_HEAD_MAX + udp_len;
}

size_t
dhcp6_answer(const struct ipc_network *network, const uint8_t *frame,
    const struct gate_frame *request, uint8_t out[DHCP6_ANSWER_MAX])
{
	const struct mac mac = gateway_mac(network, true);
	const uint8_t *asked = frame + request->l4_offset + WIRE_UDP_LEN;
	struct wishes wishes = read_options(asked + WIRE_DHCP6_LEN,
	    request->l4_len - WIRE_UDP_LEN - WIRE_DHCP6_LEN);
	uint8_t server_id[SERVER_DUID_LEN] = { 0, 3, 0, 1 };
	uint8_t *message = out + MESSAGE_OFFSET;
	size_t len = WIRE_DHCP6_LEN;

	memcpy(server_id + 4, mac.octets, sizeof(mac.octets));
	/* RFC 8415 16.12 */
	if (wishes.server_id != NULL &&
	    (wishes.server_id_len != sizeof(server_id) ||
		memcmp(wishes.server_id, server_id, sizeof(server_id)) != 0))
		return 0;
	/* The transaction is the client's. */
	store_be32(message, load_be32(asked));
	message[WIRE_DHCP6_TYPE] = DHCP6_REPLY;
	if (wishes.client_id != NULL)
		put_option(message, &len, WIRE_DHCP6_CLIENT_ID, wishes.client_id,
		    wishes.client_id_len);
	put_option(message, &len, WIRE_DHCP6_SERVER_ID, server_id, sizeof(server_id));
	if (wishes.wants_dns && network->enable_dns)
		put_option(message, &len, WIRE_DHCP6_DNS, &network->nameserver6,
		    sizeof(network->nameserver6));
	return put_headers(out, frame, request, network, &mac, len);
}
