/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pins: which addresses the names of a policy lead to. The resolver reports them before the guest
 * gets the answer. A pin belongs to a pattern of names, and so to the rules that have the pattern:
 * their protocol and ports bound it. In each limit the pin that was reported longest ago gives
 * way.
 *
 * Pure: times are milliseconds of CLOCK_MONOTONIC.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/inaddr.h"

/* A thousand names with eight addresses each. */
#define PINS_MAX 8192

/* An address of a large host has names below several patterns. */
#define PINS_PER_ADDR_MAX 4

/* A name whose answers change each time has thousands of addresses, and must not take the places
 * of other names. */
#define PINS_PER_PATTERN_MAX 256

/* As many as there are patterns: IPC_POLICY_NAMES_MAX. */
#define PINS_N_PATTERNS 4096

/* A program connects some time after it has resolved a name, and again without resolving. */
#define PINS_LIFE_MIN_S 300
/* The guest keeps no answer for longer (DNS_TTL_MAX_S). */
#define PINS_LIFE_MAX_S 3600
/* A program whose connection has ended makes another one, without resolving. */
#define PINS_LIFE_AFTER_FLOW_S 60

#define PINS_N_BUCKETS 4096

struct pin {
	LIST_ENTRY(pin) in_bucket;
	TAILQ_ENTRY(pin) of_pattern;
	TAILQ_ENTRY(pin) aged;
	uint64_t ends_ms;
	uint32_t
	    n_flows; /* that it has let through and that are open: it goes on while there are some */
	uint16_t pattern;
	struct inaddr addr;
};

LIST_HEAD(pin_bucket, pin);
TAILQ_HEAD(pin_list, pin);

struct pins {
	uint64_t secret[2]; /* who owns a name chooses addresses: not all of one bucket */
	uint16_t n;         /* places that have been in use; they are the first */
	struct pin_list free;
	struct pin_list
	    aged; /* the one that was reported longest ago is first; so below */
	struct pin_bucket buckets[PINS_N_BUCKETS];
	struct pin_list of_pattern[PINS_N_PATTERNS];
	uint16_t n_of_pattern[PINS_N_PATTERNS];
	struct pin places[PINS_MAX];
};

/* secret is random. The table must not move in memory. */
void pins_init(struct pins *pins, const uint64_t secret[2]);

/* Pins the address to the pattern, or makes a pin last longer; none gets shorter. A pin lives
 * ttl_s, at least PINS_LIFE_MIN_S and at most PINS_LIFE_MAX_S. */
void pins_add(struct pins *pins, const struct inaddr *addr, uint16_t pattern,
    uint32_t ttl_s, uint64_t now_ms);

/* The patterns that the address is pinned to now. Returns their number. */
size_t pins_find(const struct pins *pins, const struct inaddr *addr, uint64_t now_ms,
    uint16_t patterns[PINS_PER_ADDR_MAX]);

/* A flow that the pin of this address and pattern lets through begins, and ends. The pin lasts meanwhile
 * and PINS_LIFE_AFTER_FLOW_S more. Without such a pin nothing happens: it has given way. */
void pins_hold(struct pins *pins, const struct inaddr *addr, uint16_t pattern);
void pins_release(struct pins *pins, const struct inaddr *addr, uint16_t pattern,
    uint64_t now_ms);

/* The same for all flows that are open. */
void pins_release_all(struct pins *pins, uint64_t now_ms);

/* The number of pins that are not over. */
uint32_t pins_count(const struct pins *pins, uint64_t now_ms);

/* Another policy is in force: gives each pin the pattern new_patterns[pattern]. Drops it if that is
 * PINS_N_PATTERNS. No flow holds a pin then: pins_hold() is for each that is open. */
void pins_move(struct pins *pins, const uint16_t new_patterns[PINS_N_PATTERNS]);

/* The pin in the first place from *place on that is not over, or NULL; *place is then the place
 * behind it. */
const struct pin *pins_from(const struct pins *pins, uint32_t *place, uint64_t now_ms);
