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

/* The last DHCP request that has passed; dhcp_reply.c needs it. */
struct gate_dhcp4 {
	uint32_t xid;
	uint8_t ciaddr[4]; /* the client's address, if it has one on this link; else 0 */
};

/* message is what the UDP datagram carries. */
bool gate_dhcp4_is_request(const uint8_t *message, size_t len);

/* Remembers the request in the place of the one before; message is one. */
void gate_dhcp4_note_request(struct gate_dhcp4 *dhcp4, const uint8_t *message);

bool gate_dhcp6_is_information_request(const uint8_t *message, size_t len);
