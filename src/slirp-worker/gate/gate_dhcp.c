/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the form of DHCP (RFC 2131, 2132) and stateless DHCPv6 (RFC 8415) requests. */
#include "slirp-worker/gate/gate_dhcp.h"

#include "base/bytes.h"
#include "slirp-worker/wire/wire.h"

#include <string.h>

/* RFC 2131 2, figure 1. */
#define BOOTP_OP_REQUEST 1
#define BOOTP_HTYPE_ETHERNET 1

/* RFC 2131 3: DHCP has this cookie, BOOTP does not. */
#define DHCP_COOKIE 0x63825363
#define DHCP_COOKIE_LEN 4

/* RFC 2132 */
#define DHCP_OPTION_PAD 0
#define DHCP_OPTION_REQUESTED_ADDRESS 50
#define DHCP_OPTION_OVERLOAD 52
#define DHCP_OPTION_MESSAGE_TYPE 53
#define DHCP_OPTION_END 255

#define DHCP_DISCOVER 1
#define DHCP_REQUEST 3
#define DHCP_DECLINE 4
#define DHCP_RELEASE 7
#define DHCP_INFORM 8

/* RFC 8415 */
#define DHCP6_INFORMATION_REQUEST 11

/* Identity associations (RFC 8415 21.4, 21.5, 21.21): the client wants an address. */
#define DHCP6_IA_NA 3
#define DHCP6_IA_TA 4
#define DHCP6_IA_PD 25

/* IPv6's minimum MTU of 1280 bytes without the IPv6 and UDP headers. DHCPv6 clients send
 * no longer messages (RFC 8415). */
#define DHCP6_MAX_LEN (1280 - WIRE_IP6_LEN - WIRE_UDP_LEN)

static bool
is_client_message(uint8_t type)
{
	return type == DHCP_DISCOVER || type == DHCP_REQUEST || type == DHCP_DECLINE ||
	    type == DHCP_RELEASE || type == DHCP_INFORM;
}

/* True if the options have one message type, of a client, and an end. Option 52, which
 * continues the options in the fields for file names, is not allowed. */
static bool
options4_are_well_formed(const uint8_t *option, size_t len)
{
	int n_message_types = 0;

	while (len > 0 && option[0] != DHCP_OPTION_END) {
		size_t option_len = 1;

		if (option[0] != DHCP_OPTION_PAD) {
			if (len < 2)
				return false;
			option_len = 2 + (size_t)option[1];
			if (option_len > len)
				return false;
		}
		switch (option[0]) {
		case DHCP_OPTION_MESSAGE_TYPE:
			if (option[1] != 1 || !is_client_message(option[2]))
				return false;
			n_message_types++;
			break;
		case DHCP_OPTION_REQUESTED_ADDRESS:
			if (option[1] != 4)
				return false;
			break;
		case DHCP_OPTION_OVERLOAD:
			return false;
		}
		option += option_len;
		len -= option_len;
	}
	return len > 0 && n_message_types == 1;
}

bool
gate_dhcp4_is_request(const uint8_t *message, size_t len)
{
	const size_t head_len = WIRE_DHCP_OPTIONS + DHCP_COOKIE_LEN;

	return len >= head_len && message[WIRE_DHCP_OP] == BOOTP_OP_REQUEST &&
	    message[WIRE_DHCP_HTYPE] == BOOTP_HTYPE_ETHERNET &&
	    message[WIRE_DHCP_HLEN] == WIRE_MAC_LEN &&
	    load_be32(message + WIRE_DHCP_OPTIONS) == DHCP_COOKIE &&
	    options4_are_well_formed(message + head_len, len - head_len);
}

void
gate_dhcp4_note_request(struct gate_dhcp *dhcp, const uint8_t *message)
{
	dhcp->xid4 = load_be32(message + WIRE_DHCP_XID);
	memset(dhcp->ciaddr, 0, sizeof(dhcp->ciaddr));
	/* The address of a relay's client is on another link. */
	if (load_be32(message + WIRE_DHCP_GIADDR) == 0)
		memcpy(dhcp->ciaddr, message + WIRE_DHCP_CIADDR, sizeof(dhcp->ciaddr));
}

static bool
option6_is_well_formed(uint16_t code, size_t data_len)
{
	switch (code) {
	case WIRE_DHCP6_CLIENT_ID:
	case WIRE_DHCP6_SERVER_ID:
		return data_len <= WIRE_DHCP6_DUID_MAX;
	case WIRE_DHCP6_REQUEST:
		return data_len % 2 == 0;
	/* RFC 8415 16.12 has a server discard it. */
	case DHCP6_IA_NA:
	case DHCP6_IA_TA:
	case DHCP6_IA_PD:
		return false;
	default:
		return true;
	}
}

bool
gate_dhcp6_is_information_request(const uint8_t *message, size_t len)
{
	if (len < WIRE_DHCP6_LEN || len > DHCP6_MAX_LEN ||
	    message[0] != DHCP6_INFORMATION_REQUEST)
		return false;
	message += WIRE_DHCP6_LEN;
	len -= WIRE_DHCP6_LEN;

	while (len > 0) {
		size_t data_len;

		if (len < WIRE_DHCP6_OPTION_LEN)
			return false;
		data_len = load_be16(message + 2);
		if (data_len > len - WIRE_DHCP6_OPTION_LEN ||
		    !option6_is_well_formed(load_be16(message), data_len))
			return false;
		message += WIRE_DHCP6_OPTION_LEN + data_len;
		len -= WIRE_DHCP6_OPTION_LEN + data_len;
	}
	return true;
}
