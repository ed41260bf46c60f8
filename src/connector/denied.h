/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the policy has denied, or would deny in mode audit: flows by protocol, port and destination,
 * and names that the guest has asked for. A flow whose address a name has led to is kept under the
 * name, so that a service with many addresses is one entry.
 *
 * Worker and resolver report what they like. Each list has places of its own, and an entry that was
 * reported once gives way before one that was reported again: a scan of many addresses does not
 * push out what a program tries all the time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ipc/msg_policy.h"

/* A program that is built or tested meets some dozens of services. */
#define DENIED_FLOWS_MAX 512
#define DENIED_NAMES_MAX 256

/* Addresses whose names are known: those that the guest has asked for last. */
#define DENIED_ORIGINS_MAX 1024

/* As many as there are places of the largest list. */
#define DENIED_N_BUCKETS 1024

struct denied_place {
	LIST_ENTRY(denied_place) in_bucket;
	TAILQ_ENTRY(denied_place) aged;
	uint64_t hash; /* of what makes an entry another one; keyed */
	struct ipc_denied row;
};

LIST_HEAD(denied_bucket, denied_place);
TAILQ_HEAD(denied_list, denied_place);

struct denied_table {
	struct denied_place *places;
	uint32_t n_max;
	uint32_t n; /* places that have been in use; they are the first */
	struct denied_list free;
	/* By count; the one that was reported longest ago is first. */
	struct denied_list once, often;
	struct denied_bucket buckets[DENIED_N_BUCKETS];
};

struct denied {
	uint64_t secret[2];
	struct denied_table flows, names, origins;
	struct denied_place flow_places[DENIED_FLOWS_MAX];
	struct denied_place name_places[DENIED_NAMES_MAX];
	struct denied_place origin_places[DENIED_ORIGINS_MAX];
};

/* The rest of *denied is zeros: pages are not touched before entries come. secret is random. The
 * tables must not move in memory. */
void denied_init(struct denied *denied, const uint64_t secret[2]);

/* A canonical name has led the guest to the address. The last one that does counts. */
void denied_note_origin(struct denied *denied, const struct inaddr *addr,
    const char *name);

/* A flow was denied: all of *flow counts but `count` and `name`. */
void denied_note_flow(struct denied *denied, const struct ipc_denied *flow);

/* The guest has asked for a canonical name that is denied. */
void denied_note_name(struct denied *denied, const char *name, uint8_t reason);

/* Drops all entries of flows and names that another policy allows. */
typedef bool denied_test_fn(void *ctx, const struct ipc_denied *row);
void denied_drop_if(struct denied *denied, denied_test_fn *is_allowed, void *ctx);

/* The entry in the first place from *place on, flows before names, or NULL; *place is then the place
 * behind it. */
const struct ipc_denied *denied_from(const struct denied *denied, uint32_t *place);
