#include "parent/libslirp_known.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmake/SlirpdDependencies.cmake asks for it. */
#define OLDEST_VERSION "4.7.0"

#define GATE "src/slirp-worker/gate_l4.c"
#define REASSEMBLY "reassembly: src/slirp-worker/reass.c"
#define EMULATION "emulation: off"

/* clang-format off */
const struct libslirp_hole libslirp_known[] = {
	{ "CVE-2014-3640", "4.0", NULL },
	{ "CVE-2017-11434", "4.0", "DHCP: dhcp" },
	{ "CVE-2017-13711", "4.0", NULL },
	{ "CVE-2018-11806", "4.0", REASSEMBLY },
	{ "CVE-2019-6778", "4.0", EMULATION },
	{ "CVE-2019-9824", "4.0", EMULATION },
	{ "CVE-2019-14378", "4.1", REASSEMBLY },
	{ "CVE-2019-15890", "4.1", REASSEMBLY },
	{ "CVE-2020-7039", "4.2", EMULATION },
	{ "CVE-2020-7211", "4.2", "TFTP: tftp" },
	{ "CVE-2020-8608", "4.2", EMULATION },
	{ "CVE-2020-1983", "4.3", REASSEMBLY },
	{ "CVE-2020-10756", "4.3.1", "short packets: ip6_header" },
	{ "CVE-2020-29129", "4.4", "NC-SI: ethertype" },
	{ "CVE-2020-29130", "4.4", "short packets: arp_header" },
	{ "CVE-2021-3592", "4.6", "BOOTP: dhcp" },
	{ "CVE-2021-3593", "4.6", "short packets: udp_length" },
	{ "CVE-2021-3594", "4.6", "short packets: udp_length" },
	{ "CVE-2021-3595", "4.6", "TFTP: tftp" },
	{ "CVE-2026-9539", "4.9.2", "urgent data: " GATE },
};
/* clang-format on */

const size_t libslirp_n_known = sizeof(libslirp_known) / sizeof(libslirp_known[0]);

/* Major, minor, micro. */
#define N_PARTS 3

/* Numbers that are missing are 0. */
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
