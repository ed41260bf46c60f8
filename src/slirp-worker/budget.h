/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many descriptors each kind of traffic may have, so that none takes the room of another.
 * Runs in the worker; who opens a descriptor of a kind asks first, and tells what it took.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Descriptors for everything that has no budget: the standard streams, the channels, the TAP,
 * resolv.conf while a name is looked up. The worker has a dozen of them. Of fewer than twice as
 * many, half. */
#define BUDGET_OWN 32

/* libslirp keeps the last datagram of each flow, in 64 KiB: 256 MiB in all. Without an eviction
 * a flow stays for 240 s, so this is 17 new ones a second for as long as one likes. */
#define BUDGET_UDP_MAX 4096

/* Names are asked for from a new port each, which libslirp closes after 10 s: 25 a second. When
 * these are in use, names count as any UDP. */
#define BUDGET_DNS_MAX 256

/* More hosts than people and monitors ping at a time. */
#define BUDGET_PING_MAX 256

/* More peers than ask at a time on the networks that have containers. */
#define BUDGET_PEER_MAX 256

enum budget_kind {
	BUDGET_TCP,  /* connections of the guest and of peers */
	BUDGET_PORT, /* ports that are forwarded */
	BUDGET_UDP,  /* the guest's UDP flows */
	BUDGET_DNS,  /* those of them that go to the name server alone */
	BUDGET_PING,
	BUDGET_PEER, /* UDP peers of forwards between the families */
	BUDGET_N_KINDS,
};

struct budget {
	uint32_t limit[BUDGET_N_KINDS];
	uint32_t used[BUDGET_N_KINDS];
	uint32_t n_shared; /* TCP's and the ports' together */
};

/*
 * Divides n_descriptors, which the process may have open. UDP gets a quarter of n_ephemeral at
 * most, the ports that the host gives to sockets without one: nobody on the host can send UDP
 * when all of them are taken. A part of n_shared is each for TCP and for ports alone, so that
 * forwards can be added to a busy guest; the rest is for who comes first.
 */
void budget_init(struct budget *budget, size_t n_descriptors, uint32_t n_ephemeral);

/* How many ports the host gives to sockets without one (ip(7), ip_local_port_range). Reads
 * /proc, which the jail does not have; where that fails, the kernel's own default. */
uint32_t budget_read_ephemeral(void);

/* Whether n more may be opened. */
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
