/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the sockets of forwards. */
#include "parent/files/kept.h"

#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mapping.h"
#include "model/forward_table.h"

void
kept_init(struct kept *kept)
{
	kept->n = 0;
	kept->ports = mapping_new(FORWARD_TABLE_MAX * sizeof(kept->ports[0]));
	if (!kept->ports)
		fatal("get memory for the sockets of forwards");
}

int
kept_add(struct kept *kept, const struct ipc_table_port *about, int adopt_fd)
{
	autofd int fd = adopt_fd;

	uint64_t *word = &kept->listeners[about->listener / 64];
	uint64_t bit = 1ULL << about->listener % 64;

	if (kept->n == FORWARD_TABLE_MAX || *word & bit ||
	    (kept->n > 0 && about->forward < kept->ports[kept->n - 1].about.forward))
		return -1;
	*word |= bit;
	kept->ports[kept->n++] = (struct kept_port){
		.about = *about,
		.fd = take_fd(&fd),
	};
	return 0;
}

uint32_t
kept_find(const struct kept *kept, uint32_t forward)
{
	uint32_t low = 0, high = kept->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (kept->ports[middle].about.forward < forward)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
kept_drop(struct kept *kept, uint32_t first, uint32_t last)
{
	uint32_t begin = kept_find(kept, first);
	uint32_t end = last == UINT32_MAX ? kept->n : kept_find(kept, last + 1);

	for (uint32_t i = begin; i < end; i++) {
		uint32_t number = kept->ports[i].about.listener;

		kept->listeners[number / 64] &= ~(1ULL << number % 64);
		close(kept->ports[i].fd);
	}
	memmove(kept->ports + begin, kept->ports + end,
	    (kept->n - end) * sizeof(kept->ports[0]));
	kept->n -= end - begin;
}
