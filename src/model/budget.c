/* SPDX-License-Identifier: BSD-2-Clause */
/* Divides the worker's descriptors among kinds of traffic. The connector has the same limit on
 * forwarded ports as the worker. */
#include "model/budget.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/auto.h"

#define EPHEMERAL_PATH "/proc/sys/net/ipv4/ip_local_port_range"

/* 32768 to 60999 (net/ipv4/af_inet.c, inet_init_net). */
#define EPHEMERAL_DEFAULT 28232

/* Two numbers of five digits, the white space, and the terminating NUL. */
#define EPHEMERAL_TEXT_SIZE 32

/* UDP flows of a guest take at most this fraction of the host's ephemeral ports: several
 * guests of a user must leave ports for the host. */
#define EPHEMERAL_PARTS 4

/* Fractions of a small number of descriptors; TCP gets most of them. */
#define UDP_PARTS 8
#define SMALL_PARTS 32

/* Fraction of UDP's ports for each of the two small kinds that use ports. */
#define SMALL_PORT_PARTS 16

/* TCP and forwarded ports share descriptors; each has this fraction for itself. */
#define SHARED_PARTS 8

static uint32_t
at_most(uint32_t n, uint32_t max)
{
	return n < max ? n : max;
}

static uint32_t
at_least_one(uint32_t n)
{
	return n > 0 ? n : 1;
}

size_t
budget_raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return 0;
	files.rlim_cur =
	    files.rlim_max < BUDGET_FILES_MAX ? files.rlim_max : BUDGET_FILES_MAX;
	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		return 0;
	return files.rlim_cur;
}

void
budget_init(struct budget *budget, size_t n_descriptors, uint32_t n_ephemeral)
{
	uint32_t n =
	    (uint32_t)n_descriptors - at_most(BUDGET_OWN, (uint32_t)n_descriptors / 2);
	uint32_t n_ports = n_ephemeral / EPHEMERAL_PARTS;
	uint32_t small = at_most(n / SMALL_PARTS, n_ports / SMALL_PORT_PARTS);
	uint32_t *limit = budget->limit;

	*budget = (struct budget){ 0 };
	limit[BUDGET_PEER] = at_least_one(at_most(small, BUDGET_PEER_MAX));
	limit[BUDGET_PING] = at_least_one(at_most(n / SMALL_PARTS, BUDGET_PING_MAX));
	n_ports -= at_most(n_ports, limit[BUDGET_PEER]);
	limit[BUDGET_UDP] =
	    at_least_one(at_most(at_most(n / UDP_PARTS, n_ports), BUDGET_UDP_MAX));
	for (int kind = BUDGET_UDP; kind < BUDGET_N_KINDS; kind++)
		n -= at_most(n, limit[kind]);
	budget->n_shared = n;
	limit[BUDGET_PORT] = n - n / SHARED_PARTS;
	limit[BUDGET_TCP] = at_most(limit[BUDGET_PORT], BUDGET_TCP_MAX);
}

uint32_t
budget_read_ephemeral(void)
{
	char text[EPHEMERAL_TEXT_SIZE] = "";
	autofd int fd = open(EPHEMERAL_PATH, O_RDONLY | O_CLOEXEC);
	char *end = text;
	unsigned long first, last;

	if (fd == -1 || read(fd, text, sizeof(text) - 1) == -1)
		return EPHEMERAL_DEFAULT;
	first = strtoul(text, &end, 10);
	last = strtoul(end, &end, 10);
	if (*end != '\n' || first == 0 || first > last || last > UINT16_MAX)
		return EPHEMERAL_DEFAULT;
	return (uint32_t)(last - first + 1);
}

bool
budget_has_room(const struct budget *budget, enum budget_kind kind, uint32_t n)
{
	uint32_t n_free = budget->limit[kind];

	if (kind == BUDGET_TCP || kind == BUDGET_PORT) {
		uint32_t others =
		    budget->used[kind == BUDGET_TCP ? BUDGET_PORT : BUDGET_TCP];

		n_free =
		    at_most(n_free, budget->n_shared - at_most(budget->n_shared, others));
	}
	n_free -= at_most(n_free, budget->used[kind]);
	return n <= n_free;
}
