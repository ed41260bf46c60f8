/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists the connections, when a client of the api asks for them.
 *
 * Those of the TCP engine come from its tables, page by page: each page is as new as it can
 * be, and a list of thousands delays no packet. All others are copied at the begin of a list.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "slirp-worker/engine/ping/ping.h"
#include "slirp-worker/engine/forward/tcp_forward.h"
#include "slirp-worker/engine/udp/udp_host.h"

/* All connections but those of the TCP engine. */
struct connections {
	struct ipc_connection *entries; /* owned */
	uint32_t n;
	size_t size; /* allocated */
};

/* Makes a new list, which replaces the last one. It is cut short if memory is low. */
void connections_collect(struct connections *connections, const struct ping *ping,
    const struct udp_host *udp);

void connections_free(struct connections *connections);

/* Fills in an empty page: `from` is 0 or the page before's `next`. forward leads to the TCP
 * engine. A connection that begins or ends between two pages may be missing; none is in two
 * of them. */
void connections_fill_page(const struct connections *connections,
    const struct tcp_forward *forward, uint32_t from, struct ipc_connections_page *page);
