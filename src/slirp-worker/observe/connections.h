/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists the connections, when a client of the api asks for them. It parses libslirp's own
 * text (misc.c, slirp_connection_info). The text has only IPv4 addresses, no peers of
 * forwarded ports and no counts of bytes, so the kernel's data about each socket
 * completes the entries.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "slirp-worker/engine/ping/ping.h"
#include "slirp-worker/engine/slirp/stack.h"
#include "slirp-worker/forwards.h"

/* A line of the text. Addresses are valid for IPv4 only. */
struct connection_line {
	int fd;
	uint32_t source_be;
	uint32_t dest_be;
	uint32_t recv_queue_bytes;
	uint32_t send_queue_bytes;
	uint16_t source_port;
	uint16_t dest_port;
	uint8_t proto;
	enum ipc_tcp_state state;
	bool is_forward; /* the forwarded port itself */
};

/* Pure: false for the headline, and for a line that is not libslirp's. */
bool connections_parse(const char *line, struct connection_line *parsed);

struct connections {
	struct ipc_connection *entries; /* owned */
	uint32_t n;
	size_t size; /* allocated */
};

/* Makes a new list, which replaces the last one. It is cut short if memory is low. */
void connections_collect(struct connections *connections, struct stack *stack,
    const struct ping *ping, const struct forwards *forwards);

void connections_free(struct connections *connections);

/* Fills in the entries from first on, and whether there are more. */
void connections_fill_page(const struct connections *connections, uint32_t first,
    struct ipc_connections_page *page);
