/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a message to the stack's DHCP or DHCPv6 server is one that a client has reason
 * to send, whole and well formed. The server behind it believes every length.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATE_DHCP4_SERVER_PORT 67
#define GATE_DHCP4_CLIENT_PORT 68
#define GATE_DHCP6_CLIENT_PORT 546
#define GATE_DHCP6_SERVER_PORT 547

/* The last request of each family that has passed; dhcp_reply.c needs them. */
struct gate_dhcp {
	uint32_t xid4;
	uint8_t ciaddr[4]; /* the client's address, if it has one on this link; else 0 */
	uint32_t transaction_id6; /* 24 bits */
};

/* message is what the UDP datagram carries. */
bool gate_dhcp4_is_request(const uint8_t *message, size_t len);
bool gate_dhcp6_is_information_request(const uint8_t *message, size_t len);

/* Remember the request in the place of the one before; message is one. */
void gate_dhcp4_note_request(struct gate_dhcp *dhcp, const uint8_t *message);
void gate_dhcp6_note_request(struct gate_dhcp *dhcp, const uint8_t *message);
