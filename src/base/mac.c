/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses and formats MAC addresses. */
#include "base/mac.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 7042 section 2.1: the lowest bit of the first octet marks a group address. */
#define MAC_GROUP_BIT 0x01

#define HEX_DIGITS "0123456789abcdefABCDEF"

enum mac_outcome
mac_parse(const char *text, struct mac *mac)
{
	static const struct mac zero;
	struct mac parsed;

	if (strlen(text) != MAC_STRLEN - 1)
		return MAC_BAD_SYNTAX;
	for (size_t i = 0; i < MAC_LEN; i++) {
		const char *pair = text + 3 * i;

		if (strspn(pair, HEX_DIGITS) != 2 || (i + 1 < MAC_LEN && pair[2] != ':'))
			return MAC_BAD_SYNTAX;
		parsed.octets[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	if (parsed.octets[0] & MAC_GROUP_BIT)
		return MAC_MULTICAST;
	if (memcmp(&parsed, &zero, sizeof(zero)) == 0)
		return MAC_ZERO;
	*mac = parsed;
	return MAC_OK;
}

const char *
mac_format(const struct mac *mac, char buf[MAC_STRLEN])
{
	const uint8_t *o = mac->octets;

	snprintf(buf, MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", o[0], o[1], o[2], o[3],
	    o[4], o[5]);
	return buf;
}

struct in6_addr
mac_to_addr6(const struct in6_addr *prefix, const struct mac *mac)
{
	struct in6_addr addr = *prefix;
	uint8_t *id = addr.s6_addr + 8;

	memcpy(id, mac->octets, 3);
	id[0] ^= 0x02;
	id[3] = 0xff;
	id[4] = 0xfe;
	memcpy(id + 5, mac->octets + 3, 3);
	return addr;
}
