/* SPDX-License-Identifier: BSD-2-Clause */
/* The classes of an address. */
#include "model/policy/class.h"

#include <string.h>

#include "base/bytes.h"

#define BIT IPC_POLICY_BIT

struct range4 {
	uint32_t addr; /* host order */
	uint8_t len;
	uint32_t classes;
};

/*
 * IANA's registry of special-purpose addresses of IPv4, and the addresses at which clouds serve
 * credentials to their machines. The last range that fits counts. Other addresses are
 * `internet`.
 */
static const struct range4 ranges4[] = {
	{ 0x00000000, 8, BIT(special) },
	{ 0x0a000000, 8, BIT(private) },
	{ 0x64400000, 10, BIT(private) },                 /* RFC 6598: carrier NAT */
	{ 0x646464c8, 32, BIT(private) | BIT(metadata) }, /* 100.100.100.200, Alibaba */
	{ 0x7f000000, 8, BIT(loopback) },
	{ 0xa83f8110, 32, BIT(metadata) }, /* 168.63.129.16, Azure */
	{ 0xa9fe0000, 16, BIT(link_local) },
	{ 0xa9fea9fe, 32, BIT(link_local) | BIT(metadata) }, /* 169.254.169.254, most */
	{ 0xa9feaa02, 32, BIT(link_local) | BIT(metadata) }, /* 169.254.170.2, ECS */
	{ 0xa9feaa17, 32, BIT(link_local) | BIT(metadata) }, /* 169.254.170.23, EKS */
	{ 0xac100000, 12, BIT(private) },
	{ 0xc0000000, 24, BIT(special) },
	{ 0xc0000009, 32, BIT(internet) },                /* RFC 7723 */
	{ 0xc000000a, 32, BIT(internet) },                /* RFC 8155 */
	{ 0xc00000c0, 32, BIT(special) | BIT(metadata) }, /* 192.0.0.192, Oracle */
	{ 0xc0000200, 24, BIT(special) },
	{ 0xc0586300, 24, BIT(special) }, /* RFC 7526: 6to4 relays */
	{ 0xc0a80000, 16, BIT(private) },
	{ 0xc6120000, 15, BIT(special) },
	{ 0xc6336400, 24, BIT(special) },
	{ 0xcb007100, 24, BIT(special) },
	{ 0xe0000000, 4, BIT(multicast) },
	{ 0xf0000000, 4, BIT(special) },
	{ 0xffffffff, 32, BIT(broadcast) },
};

struct range6 {
	uint8_t addr[16];
	uint8_t len;
	uint32_t classes;
};

/* The same of IPv6. RFC 4291 2.4 and IANA: only 2000::/3 is allocated to the internet; other
 * addresses are `special`. */
static const struct range6 ranges6[] = {
	{ { 0x20 }, 3, BIT(internet) },
	{ { [15] = 1 }, 128, BIT(loopback) },
	{ { 0x20, 0x01 }, 23, BIT(special) },
	{ { 0x20, 0x01, 0, 1, [15] = 1 }, 128, BIT(internet) }, /* RFC 7723 */
	{ { 0x20, 0x01, 0, 1, [15] = 2 }, 128, BIT(internet) }, /* RFC 8155 */
	{ { 0x20, 0x01, 0, 1, [15] = 3 }, 128, BIT(internet) }, /* RFC 9665 */
	{ { 0x20, 0x01, 0, 3 }, 32, BIT(internet) },            /* RFC 7450 */
	{ { 0x20, 0x01, 0, 4, 1, 0x12 }, 48, BIT(internet) },   /* RFC 7535 */
	{ { 0x20, 0x01, 0, 0x20 }, 28, BIT(internet) },         /* RFC 7343 */
	{ { 0x20, 0x01, 0, 0x30 }, 28, BIT(internet) },         /* RFC 9374 */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, BIT(special) },
	{ { 0x3f, 0xff }, 20, BIT(special) }, /* RFC 9637 */
	{ { 0xfc }, 7, BIT(private) },
	{ { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54 }, 128,
	    BIT(private) | BIT(metadata) }, /* Amazon */
	{ { 0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23 }, 128,
	    BIT(private) | BIT(metadata) }, /* EKS */
	{ { 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54 }, 128,
	    BIT(private) | BIT(metadata) }, /* Google */
	{ { 0xfe, 0x80 }, 10, BIT(link_local) },
	{ { 0xfe, 0xc0 }, 10, BIT(private) }, /* RFC 3879: site-local */
	{ { 0xff }, 8, BIT(multicast) },
};

static uint32_t
classify4(const struct inaddr *addr)
{
	uint32_t number = load_be32(addr->bytes);
	uint32_t classes = BIT(internet);

	for (size_t i = 0; i < sizeof(ranges4) / sizeof(ranges4[0]); i++) {
		if ((number ^ ranges4[i].addr) >> (32 - ranges4[i].len) == 0)
			classes = ranges4[i].classes;
	}
	return classes;
}

static bool
is_in(const struct inaddr *addr, const uint8_t *prefix, unsigned int len)
{
	unsigned int n_rest = len % 8;

	return memcmp(addr->bytes, prefix, len / 8) == 0 &&
	    (n_rest == 0 ||
		(addr->bytes[len / 8] ^ prefix[len / 8]) >> (8 - n_rest) == 0);
}

static uint32_t
classify6(const struct inaddr *addr)
{
	uint32_t classes = BIT(special);
	struct inaddr inside;

	if (policy_embedded4(addr, &inside))
		return classify4(&inside);
	for (size_t i = 0; i < sizeof(ranges6) / sizeof(ranges6[0]); i++) {
		if (is_in(addr, ranges6[i].addr, ranges6[i].len))
			classes = ranges6[i].classes;
	}
	return classes;
}

bool
policy_embedded4(const struct inaddr *addr, struct inaddr *inside)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t sixto4[2] = { 0x20, 0x02 };
	bool is_nat64 = addr->is_ipv6 && memcmp(addr->bytes, nat64, sizeof(nat64)) == 0;

	if (!is_nat64 &&
	    !(addr->is_ipv6 && memcmp(addr->bytes, sixto4, sizeof(sixto4)) == 0))
		return false;
	*inside =
	    inaddr_from_bytes(addr->bytes + (is_nat64 ? sizeof(nat64) : sizeof(sixto4)),
		false);
	return true;
}

static int
compare(const struct inaddr *a, const struct inaddr *b)
{
	return memcmp(a, b, sizeof(*a));
}

static void
sift(struct inaddr *heap, uint32_t at, uint32_t n)
{
	for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
		struct inaddr old = heap[at];

		if (child + 1 < n && compare(&heap[child], &heap[child + 1]) < 0)
			child++;
		if (compare(&old, &heap[child]) >= 0)
			return;
		heap[at] = heap[child];
		heap[child] = old;
	}
}

/* Not qsort(3), which allocates. */
void
policy_place_set_host(struct policy_place *place, const struct inaddr *addrs, uint32_t n)
{
	struct inaddr *heap = place->host;

	place->n_host = n;
	for (uint32_t i = 0; i < n; i++)
		heap[i] = addrs[i];
	for (uint32_t i = n / 2; i-- > 0;)
		sift(heap, i, n);
	for (uint32_t i = n; i-- > 1;) {
		struct inaddr last = heap[i];

		heap[i] = heap[0];
		heap[0] = last;
		sift(heap, 0, i);
	}
}

static bool
is_of_host(const struct policy_place *place, const struct inaddr *addr)
{
	uint32_t low = 0, high = place->n_host;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = compare(addr, &place->host[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static bool
is_of_network(const struct policy_place *place, const struct inaddr *addr)
{
	if (addr->is_ipv6)
		return memcmp(addr->bytes, &place->prefix6, 8) == 0;
	return (inaddr_to4(addr) & place->netmask_be) == place->network_be;
}

uint32_t
policy_classify(const struct policy_place *place, const struct inaddr *addr)
{
	uint32_t classes = BIT(any);
	struct inaddr inside;

	if (place->has_nameserver[addr->is_ipv6] &&
	    inaddr_is_equal(addr, &place->nameserver[addr->is_ipv6]))
		return classes | BIT(nameserver);
	/* Not private: a rule that opens private networks does not open the host's loopback. */
	if (is_of_network(place, addr))
		return classes | BIT(gateway);
	classes |= addr->is_ipv6 ? classify6(addr) : classify4(addr);
	/* It leads to the host's loopback (connector/destination.c). */
	if (classes & BIT(broadcast))
		return classes | BIT(gateway);
	if (is_of_host(place, addr) ||
	    (policy_embedded4(addr, &inside) && is_of_host(place, &inside)))
		classes |= BIT(host);
	if (classes & (BIT(host) | BIT(metadata)))
		classes &= ~BIT(internet);
	return classes;
}

bool
policy_name_may_lead_to(uint32_t classes, bool may_be_private)
{
	/* Classes overlap: metadata and addresses of the host can be private. */
	if (classes & (BIT(metadata) | BIT(host) | BIT(link_local)))
		return false;
	return classes & BIT(internet) || (may_be_private && classes & BIT(private));
}
