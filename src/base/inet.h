/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text to addresses and back: IPv4, IPv6, IPv4 networks with a prefix, MAC. Every process
 * uses this. It keeps no state and makes no system call. Parsing is strict: it takes the
 * whole string, and leaves the result unchanged on failure. Addresses are in network byte
 * order, as `_be` in their names says.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* IEEE 802: an EUI-48. */
#define INET_MAC_LEN 6

/* "xx:xx:xx:xx:xx:xx" with its NUL. */
#define INET_MAC_STRLEN 18

struct inet_mac {
	uint8_t octets[INET_MAC_LEN]; /* in the order of the wire */
};

struct inet_cidr {
	in_addr_t network_be;
	unsigned int prefix_len; /* bits, 0 to 32 */
};

enum inet_cidr_outcome {
	INET_CIDR_OK,
	INET_CIDR_BAD_SYNTAX,  /* not of the form A.B.C.D/N with N of one or two digits */
	INET_CIDR_BAD_ADDRESS, /* that form, but A.B.C.D is not an IPv4 address */
	INET_CIDR_BAD_PREFIX,  /* N is outside the range of the caller */
	INET_CIDR_HOST_BITS,   /* bits are set to the right of the prefix */
};

enum inet_mac_outcome {
	INET_MAC_OK,
	INET_MAC_BAD_SYNTAX,
	INET_MAC_MULTICAST, /* the group bit is set: no interface can have it */
	INET_MAC_ZERO,      /* zeros mean "not set" to Linux */
};

/* Dotted decimal: four parts, no leading zeros, as inet_pton(3) accepts. */
bool inet_addr4_parse(const char *text, in_addr_t *addr_be);

/* RFC 4291 section 2.2, without a zone ("%eth0"), as inet_pton(3) accepts. */
bool inet_addr6_parse(const char *text, struct in6_addr *addr);

/* buf holds INET_ADDRSTRLEN or INET6_ADDRSTRLEN bytes. Both return buf. */
const char *inet_addr4_format(in_addr_t addr_be, char *buf);
const char *inet_addr6_format(const struct in6_addr *addr, char *buf);

/* Reports the first fault in the order of the enum. The host bits depend on the prefix,
 * so it is checked first. prefix_max is at most 32. */
enum inet_cidr_outcome inet_cidr_parse(const char *text, unsigned int prefix_min,
    unsigned int prefix_max, struct inet_cidr *cidr);

/* Returns the mask of a prefix of 0 to 32 bits: 24 gives 255.255.255.0. */
in_addr_t inet_netmask_be(unsigned int prefix_len);

/* Returns the network's address with this number: 2 gives 10.0.2.2 for 10.0.2.0/24.
 * host_number must fit the network. */
in_addr_t inet_cidr_host_be(const struct inet_cidr *cidr, uint32_t host_number);

/* Parses six pairs of hexadecimal digits of either case, separated by colons. */
enum inet_mac_outcome inet_mac_parse(const char *text, struct inet_mac *mac);

/* Formats in lower case. buf holds INET_MAC_STRLEN bytes. Returns buf. */
const char *inet_mac_format(const struct inet_mac *mac, char *buf);

/* Returns the address that Linux gives an interface of this MAC in stateless
 * autoconfiguration (RFC 4291, appendix A): the first 8 bytes of prefix, then the MAC
 * with ff:fe in its middle and the universal bit inverted. */
void inet_addr6_from_mac(const uint8_t prefix[16], const struct inet_mac *mac,
    struct in6_addr *addr);
