/* SPDX-License-Identifier: BSD-2-Clause */
/* A hash table of UDP sockets; descriptors are the indexes of its entries. */
#include "slirp-worker/engine/slirp/udp_flows.h"

#include <string.h>

static int *
row_of(struct slirp_udp_flows *flows, const struct flow_key *end)
{
	return &flows->first_fd[flow_key_hash(end) % UDP_FLOWS_ROWS];
}

void
udp_flows_add(struct slirp_udp_flows *flows, int fd, const struct flow_key *end,
    enum udp_kind kind)
{
	int *row = row_of(flows, end);

	flows->by_fd[fd] =
	    (struct slirp_udp_flow){ .end = *end, .kind = kind, .next_fd = *row };
	*row = fd;
}

void
udp_flows_remove(struct slirp_udp_flows *flows, int fd)
{
	struct slirp_udp_flow *flow = &flows->by_fd[fd];
	int *place = row_of(flows, &flow->end);

	if (flow->kind == UDP_NONE)
		return;
	while (*place != fd)
		place = &flows->by_fd[*place].next_fd;
	*place = flow->next_fd;
	*flow = (struct slirp_udp_flow){ 0 };
}

struct slirp_udp_flow *
udp_flows_find(struct slirp_udp_flows *flows, const struct flow_key *end)
{
	for (int fd = *row_of(flows, end); fd != 0; fd = flows->by_fd[fd].next_fd)
		if (memcmp(&flows->by_fd[fd].end, end, sizeof(*end)) == 0)
			return &flows->by_fd[fd];
	return NULL;
}
