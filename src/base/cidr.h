/* SPDX-License-Identifier: BSD-2-Clause */
/* An IPv4 network: an address and the length of its prefix. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

struct cidr {
	in_addr_t network_be;
	unsigned int prefix_len; /* bits, 0 to 32 */
};

enum cidr_outcome {
	CIDR_OK,
	CIDR_BAD_SYNTAX,  /* not of the form A.B.C.D/N with N of one or two digits */
	CIDR_BAD_ADDRESS, /* that form, but A.B.C.D is not an IPv4 address */
	CIDR_BAD_PREFIX,  /* N is outside the range of the caller */
	CIDR_HOST_BITS,   /* bits are set to the right of the prefix */
};

/* Parses the whole string. Reports the first fault in the order of the enum: the host
 * bits depend on the prefix, so it is checked first. prefix_max is at most 32. Leaves
 * *cidr unchanged on failure. */
enum cidr_outcome cidr_parse(const char *text, unsigned int prefix_min,
    unsigned int prefix_max, struct cidr *cidr);

/* Returns the mask of a prefix of 0 to 32 bits: 24 gives 255.255.255.0. */
in_addr_t cidr_netmask_be(unsigned int prefix_len);

/* Returns the network's address with this number: 2 gives 10.0.2.2 for 10.0.2.0/24.
 * host_number must fit the network. */
in_addr_t cidr_host_be(const struct cidr *cidr, uint32_t host_number);
