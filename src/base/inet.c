/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses and formats IPv4, IPv6 and MAC addresses and IPv4 networks. */
#include "base/inet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"

/* A.B.C.D */
#define N_ADDR4_PARTS 4

/* RFC 7042 section 2.1: the lowest bit of the first octet marks a group address. */
#define MAC_GROUP_BIT 0x01

bool
inet_addr4_parse(const char *text, in_addr_t *addr_be)
{
	struct in_addr addr;

	if (inet_pton(AF_INET, text, &addr) != 1)
		return false;
	*addr_be = addr.s_addr;
	return true;
}

bool
inet_addr6_parse(const char *text, struct in6_addr *addr)
{
	struct in6_addr parsed;

	if (inet_pton(AF_INET6, text, &parsed) != 1)
		return false;
	*addr = parsed;
	return true;
}

const char *
inet_addr4_format(in_addr_t addr_be, char *buf)
{
	struct in_addr addr = { .s_addr = addr_be };

	return inet_ntop(AF_INET, &addr, buf, INET_ADDRSTRLEN);
}

const char *
inet_addr6_format(const struct in6_addr *addr, char *buf)
{
	return inet_ntop(AF_INET6, addr, buf, INET6_ADDRSTRLEN);
}

/* Returns the length of a leading A.B.C.D of any digits; 0: text begins otherwise. */
static size_t
dotted_quad_len(const char *text)
{
	size_t len = 0;

	for (int part = 0; part < N_ADDR4_PARTS; part++) {
		size_t n_digits;

		if (part > 0 && text[len++] != '.')
			return 0;
		n_digits = strspn(text + len, DIGITS);
		if (n_digits == 0)
			return 0;
		len += n_digits;
	}
	return len;
}

enum inet_cidr_outcome
inet_cidr_parse(const char *text, unsigned int prefix_min, unsigned int prefix_max,
    struct inet_cidr *cidr)
{
	size_t addr_len = dotted_quad_len(text);
	const char *prefix_text = text + addr_len + 1;
	char addr_text[INET_ADDRSTRLEN];
	unsigned int prefix_len = 0;
	size_t n_digits;
	in_addr_t addr_be;

	if (addr_len == 0 || text[addr_len] != '/')
		return INET_CIDR_BAD_SYNTAX;
	n_digits = strspn(prefix_text, DIGITS);
	if (n_digits < 1 || n_digits > 2 || prefix_text[n_digits] != '\0')
		return INET_CIDR_BAD_SYNTAX;
	for (size_t i = 0; i < n_digits; i++)
		prefix_len = prefix_len * 10 + (unsigned int)(prefix_text[i] - '0');

	if (addr_len >= sizeof(addr_text))
		return INET_CIDR_BAD_ADDRESS;
	memcpy(addr_text, text, addr_len);
	addr_text[addr_len] = '\0';
	if (!inet_addr4_parse(addr_text, &addr_be))
		return INET_CIDR_BAD_ADDRESS;
	if (prefix_len < prefix_min || prefix_len > prefix_max)
		return INET_CIDR_BAD_PREFIX;
	if ((addr_be & ~inet_netmask_be(prefix_len)) != 0)
		return INET_CIDR_HOST_BITS;

	cidr->network_be = addr_be;
	cidr->prefix_len = prefix_len;
	return INET_CIDR_OK;
}

in_addr_t
inet_netmask_be(unsigned int prefix_len)
{
	/* C leaves a shift by the full width undefined. */
	if (prefix_len == 0)
		return 0;
	return htonl(UINT32_MAX << (32 - prefix_len));
}

in_addr_t
inet_cidr_host_be(const struct inet_cidr *cidr, uint32_t host_number)
{
	return htonl(ntohl(cidr->network_be) + host_number);
}

static int
hex_digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

enum inet_mac_outcome
inet_mac_parse(const char *text, struct inet_mac *mac)
{
	static const struct inet_mac zero;
	struct inet_mac parsed;

	if (strlen(text) != INET_MAC_STRLEN - 1)
		return INET_MAC_BAD_SYNTAX;
	for (size_t i = 0; i < INET_MAC_LEN; i++) {
		const char *pair = text + 3 * i;
		int high = hex_digit_value(pair[0]);
		int low = hex_digit_value(pair[1]);

		if (high < 0 || low < 0 || (i + 1 < INET_MAC_LEN && pair[2] != ':'))
			return INET_MAC_BAD_SYNTAX;
		parsed.octets[i] = (uint8_t)(high << 4 | low);
	}
	if (parsed.octets[0] & MAC_GROUP_BIT)
		return INET_MAC_MULTICAST;
	if (memcmp(&parsed, &zero, sizeof(zero)) == 0)
		return INET_MAC_ZERO;
	*mac = parsed;
	return INET_MAC_OK;
}

const char *
inet_mac_format(const struct inet_mac *mac, char *buf)
{
	const uint8_t *o = mac->octets;

	snprintf(buf, INET_MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", o[0], o[1], o[2],
	    o[3], o[4], o[5]);
	return buf;
}

void
inet_addr6_from_mac(const uint8_t prefix[16], const struct inet_mac *mac,
    struct in6_addr *addr)
{
	uint8_t *id = addr->s6_addr + 8;

	memcpy(addr->s6_addr, prefix, 8);
	memcpy(id, mac->octets, 3);
	id[0] ^= 0x02;
	id[3] = 0xff;
	id[4] = 0xfe;
	memcpy(id + 5, mac->octets + 3, 3);
}
