/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits the descriptors of each kind of traffic, so that no kind takes another's.
 * Callers check the budget before they open a descriptor, and then call budget_take().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The limit on open files, if the hard limit is not lower. Every descriptor is below it,
 * so tables by descriptor have this size; only the pages of used ones become resident.
 * Ports cannot tell more sockets apart. */
#define BUDGET_FILES_MAX 65536

/* Descriptors without a budget: the standard streams, the channels, the TAP. The
 * worker needs about 12. If the limit is below twice this number, half of the limit. */
#define BUDGET_OWN 32

/* An answered flow lasts 180 s after its last datagram (udp.h), so this allows 22 new flows
 * a second for ever. */
#define BUDGET_UDP_MAX 4096

/* Connections. One address of the host has 28232 ephemeral ports by default. So many take less
 * than 16 MiB of the worker (tcp_host.c). */
#define BUDGET_TCP_MAX 32768

/* Enough for the hosts that users and monitoring programs ping at a time. */
#define BUDGET_PING_MAX 256

/* Enough for the peers that send at a time in networks with containers. */
#define BUDGET_PEER_MAX 256

enum budget_kind {
	BUDGET_TCP,  /* connections of the guest and of peers */
	BUDGET_PORT, /* forwarded ports */
	BUDGET_UDP,  /* the guest's UDP flows */
	BUDGET_PING,
	BUDGET_PEER, /* UDP peers of forwards */
	BUDGET_N_KINDS,
};

struct budget {
	uint32_t limit[BUDGET_N_KINDS];
	uint32_t used[BUDGET_N_KINDS];
	uint32_t n_shared; /* descriptors that TCP and forwarded ports share */
};

/* Raises the soft limit on open files to the hard limit, but not above BUDGET_FILES_MAX:
 * the low soft limit is for programs that use select(2). Returns the new limit, or 0 with
 * errno set. */
size_t budget_raise_files(void);

/*
 * Divides n_descriptors, the process's limit on open files. n_ephemeral is the number of
 * the host's ephemeral ports; all UDP gets at most a quarter of them, because nobody on
 * the host can send UDP if all are in use. TCP and forwarded ports each have a part of
 * n_shared for themselves, so that forwards can be added to a busy guest. They compete
 * for the rest.
 */
void budget_init(struct budget *budget, size_t n_descriptors, uint32_t n_ephemeral);

/* The number of the host's ephemeral ports (ip(7), ip_local_port_range). Reads /proc, so
 * call it before the jail; returns the kernel's default if that fails. */
uint32_t budget_read_ephemeral(void);

/* Whether n more descriptors may be opened. */
bool budget_has_room(const struct budget *budget, enum budget_kind kind, uint32_t n);

static inline void
budget_take(struct budget *budget, enum budget_kind kind, uint32_t n)
{
	budget->used[kind] += n;
}

static inline void
budget_give(struct budget *budget, enum budget_kind kind, uint32_t n)
{
	budget->used[kind] -= n;
}
