/* SPDX-License-Identifier: BSD-2-Clause */
/* The published vulnerabilities of libslirp. */
#include "parent/output/libslirp_known.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmake/SlirpdDependencies.cmake requires it. */
#define OLDEST_VERSION "4.7.0"

#define GATE "gate_l4.c"
#define REASSEMBLY "reassembly: reass.c"
#define EMULATION "emulation: off"

/* clang-format off */
/* libslirp was made from QEMU's copy. "4.0" includes vulnerabilities that QEMU's copy had
 * fixed before. */
const struct libslirp_hole libslirp_known[] = {
	/* NULL pointer in sosendto, by UDP from address and port 0 */
	{ "CVE-2014-3640", "4.0", NULL },
	/* read behind the end of DHCP options (dhcp_decode) */
	{ "CVE-2017-11434", "4.0", "DHCP: dhcp" },
	/* use after free of the socket of a queued packet (sofree) */
	{ "CVE-2017-13711", "4.0", NULL },
	/* heap overflow by fragmented datagrams (m_cat) */
	{ "CVE-2018-11806", "4.0", REASSEMBLY },
	/* heap overflow in tcp_emu (ident) */
	{ "CVE-2019-6778", "4.0", EMULATION },
	/* tcp_emu (ident) sends stack memory to the guest */
	{ "CVE-2019-9824", "4.0", EMULATION },
	/* heap overflow in ip_reass, by a large first fragment */
	{ "CVE-2019-14378", "4.1", REASSEMBLY },
	/* use after free in ip_reass */
	{ "CVE-2019-15890", "4.1", REASSEMBLY },
	/* accesses behind the buffer in tcp_emu (IRC and others) */
	{ "CVE-2020-7039", "4.2", EMULATION },
	/* files outside of the TFTP directory, on Windows hosts */
	{ "CVE-2020-7211", "4.2", "TFTP: tftp" },
	/* buffer overflow in tcp_emu by misuse of snprintf */
	{ "CVE-2020-8608", "4.2", EMULATION },
	/* use after free in ip_reass */
	{ "CVE-2020-1983", "4.3", REASSEMBLY },
	/* ICMPv6 echo replies with host memory, by a false length */
	{ "CVE-2020-10756", "4.3.1", "short packets: ip6_header" },
	/* read behind the end of a short NC-SI packet */
	{ "CVE-2020-29129", "4.4", "NC-SI: ethertype" },
	/* read behind the end of a short ARP packet */
	{ "CVE-2020-29130", "4.4", "short packets: arp_header" },
	/* read behind the end of a short BOOTP packet */
	{ "CVE-2021-3592", "4.6", "BOOTP: dhcp" },
	/* read behind the end of a short UDP packet, IPv6 */
	{ "CVE-2021-3593", "4.6", "short packets: udp_length" },
	/* read behind the end of a short UDP packet, IPv4 */
	{ "CVE-2021-3594", "4.6", "short packets: udp_length" },
	/* read behind the end of a short TFTP packet */
	{ "CVE-2021-3595", "4.6", "TFTP: tftp" },
	/* sosendoob sends host memory, by a wrong urgent pointer */
	{ "CVE-2026-9539", "4.9.2", "urgent data: " GATE },
};
/* clang-format on */

const size_t libslirp_n_known = sizeof(libslirp_known) / sizeof(libslirp_known[0]);

/* Major, minor, micro. */
#define N_PARTS 3

/* A missing part is 0. */
struct version {
	unsigned long parts[N_PARTS];
};

static struct version
parse(const char *text)
{
	struct version version = { { 0 } };
	char *rest = (char *)(uintptr_t)text;

	if (!isdigit((unsigned char)*text))
		return parse(OLDEST_VERSION);
	for (size_t i = 0; i < N_PARTS && isdigit((unsigned char)*rest); i++) {
		version.parts[i] = strtoul(rest, &rest, 10);
		rest += *rest == '.';
	}
	return version;
}

static int
is_older(const struct version *a, const struct version *b)
{
	for (size_t i = 0; i < N_PARTS; i++)
		if (a->parts[i] != b->parts[i])
			return a->parts[i] < b->parts[i];
	return 0;
}

size_t
libslirp_known_open(const struct libslirp_hole *holes, size_t n_holes,
    const char *version, char *list, size_t list_size)
{
	struct version loaded = parse(version);
	size_t n_open = 0;

	list[0] = '\0';
	for (size_t i = 0; i < n_holes; i++) {
		struct version fixed_in = parse(holes[i].fixed_in);
		size_t len = strlen(list);

		if (holes[i].check || !is_older(&loaded, &fixed_in))
			continue;
		n_open++;
		if (len + strlen(holes[i].number) + 1 < list_size)
			snprintf(list + len, list_size - len, " %s", holes[i].number);
	}
	return n_open;
}
