/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks messages to the stack's DHCP and DHCPv6 servers. Only a complete, well-formed
 * request that a client has reason to send may pass: the servers do not check lengths.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATE_DHCP4_SERVER_PORT 67
#define GATE_DHCP4_CLIENT_PORT 68
#define GATE_DHCP6_CLIENT_PORT 546
#define GATE_DHCP6_SERVER_PORT 547

/* The last request of IPv4 that has passed; dhcp_reply.c needs it. */
struct gate_dhcp {
	uint32_t xid4;
	uint8_t ciaddr[4]; /* the client's address on this link; 0 if it has none */
};

/* message is the payload of the UDP datagram. */
bool gate_dhcp4_is_request(const uint8_t *message, size_t len);
bool gate_dhcp6_is_information_request(const uint8_t *message, size_t len);

/* Remembers the request and forgets the earlier one; message is a request. */
void gate_dhcp4_note_request(struct gate_dhcp *dhcp, const uint8_t *message);
