/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses IPv4 networks, and numbers their addresses. */
#include "base/cidr.h"

#include <arpa/inet.h>
#include <string.h>

#define DIGITS "0123456789"

/* A.B.C.D */
#define N_ADDR4_PARTS 4

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

enum cidr_outcome
cidr_parse(const char *text, unsigned int prefix_min, unsigned int prefix_max,
    struct cidr *cidr)
{
	size_t addr_len = dotted_quad_len(text);
	const char *prefix_text = text + addr_len + 1;
	char addr_text[INET_ADDRSTRLEN];
	unsigned int prefix_len = 0;
	size_t n_digits;
	in_addr_t addr_be;

	if (addr_len == 0 || text[addr_len] != '/')
		return CIDR_BAD_SYNTAX;
	n_digits = strspn(prefix_text, DIGITS);
	if (n_digits < 1 || n_digits > 2 || prefix_text[n_digits] != '\0')
		return CIDR_BAD_SYNTAX;
	for (size_t i = 0; i < n_digits; i++)
		prefix_len = prefix_len * 10 + (unsigned int)(prefix_text[i] - '0');

	if (addr_len >= sizeof(addr_text))
		return CIDR_BAD_ADDRESS;
	memcpy(addr_text, text, addr_len);
	addr_text[addr_len] = '\0';
	if (inet_pton(AF_INET, addr_text, &addr_be) != 1)
		return CIDR_BAD_ADDRESS;
	if (prefix_len < prefix_min || prefix_len > prefix_max)
		return CIDR_BAD_PREFIX;
	if ((addr_be & ~cidr_netmask_be(prefix_len)) != 0)
		return CIDR_HOST_BITS;

	cidr->network_be = addr_be;
	cidr->prefix_len = prefix_len;
	return CIDR_OK;
}

in_addr_t
cidr_netmask_be(unsigned int prefix_len)
{
	/* C leaves a shift by the full width undefined. */
	if (prefix_len == 0)
		return 0;
	return htonl(UINT32_MAX << (32 - prefix_len));
}

in_addr_t
cidr_host_be(const struct cidr *cidr, uint32_t host_number)
{
	return htonl(ntohl(cidr->network_be) + host_number);
}
