/* SPDX-License-Identifier: BSD-2-Clause */
/* A MAC address: an EUI-48 of IEEE 802. Messages contain it. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#define MAC_LEN 6

/* "xx:xx:xx:xx:xx:xx" with its NUL. */
#define MAC_STRLEN 18

struct mac {
	uint8_t octets[MAC_LEN]; /* in the order of the wire */
};

enum mac_outcome {
	MAC_OK,
	MAC_BAD_SYNTAX,
	MAC_MULTICAST, /* the group bit is set: no interface can have it */
	MAC_ZERO,      /* zeros mean "not set" to Linux */
};

/* Parses six pairs of hexadecimal digits of either case, separated by colons: the whole
 * string. Leaves *mac unchanged on failure. */
enum mac_outcome mac_parse(const char *text, struct mac *mac);

/* Formats in lower case. Returns buf. */
const char *mac_format(const struct mac *mac, char buf[MAC_STRLEN]);

/* Returns the address that Linux gives an interface of this MAC in stateless
 * autoconfiguration (RFC 4291, appendix A): the first 8 bytes of prefix, then the MAC
 * with ff:fe in its middle and the universal bit inverted. */
struct in6_addr mac_to_addr6(const struct in6_addr *prefix, const struct mac *mac);
