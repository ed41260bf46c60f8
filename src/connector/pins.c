/* SPDX-License-Identifier: BSD-2-Clause */
/* Which addresses the names of a policy lead to. */
#include "connector/pins.h"

#include <string.h>

#include "base/clock.h"
#include "base/siphash.h"

void
pins_init(struct pins *pins, const uint64_t secret[2])
{
	memcpy(pins->secret, secret, sizeof(pins->secret));
	pins->n = 0;
	TAILQ_INIT(&pins->free);
	TAILQ_INIT(&pins->aged);
	for (size_t i = 0; i < PINS_N_BUCKETS; i++)
		LIST_INIT(&pins->buckets[i]);
	for (size_t i = 0; i < PINS_N_PATTERNS; i++)
		TAILQ_INIT(&pins->of_pattern[i]);
	memset(pins->n_of_pattern, 0, sizeof(pins->n_of_pattern));
}

static size_t
bucket_of(const struct pins *pins, const struct inaddr *addr)
{
	return siphash(pins->secret, addr, sizeof(*addr)) % PINS_N_BUCKETS;
}

static void
drop(struct pins *pins, struct pin *pin)
{
	LIST_REMOVE(pin, in_bucket);
	TAILQ_REMOVE(&pins->of_pattern[pin->pattern], pin, of_pattern);
	TAILQ_REMOVE(&pins->aged, pin, aged);
	TAILQ_INSERT_HEAD(&pins->free, pin, aged);
	pin->ends_ms = 0;
	pin->n_flows = 0;
	pins->n_of_pattern[pin->pattern]--;
}

static struct pin *
find(const struct pins *pins, const struct inaddr *addr, uint16_t pattern)
{
	struct pin *pin;

	LIST_FOREACH(pin, &pins->buckets[bucket_of(pins, addr)], in_bucket)
	{
		if (pin->pattern == pattern && inaddr_is_equal(&pin->addr, addr))
			return pin;
	}
	return NULL;
}

static bool
is_over(const struct pin *pin, uint64_t now_ms)
{
	return pin->n_flows == 0 && now_ms >= pin->ends_ms;
}

/* Returns the pin of this address and pattern. If there is none, makes place for it: of the
 * address, of the pattern, and of all. */
static struct pin *
find_or_make_place(struct pins *pins, const struct inaddr *addr, uint16_t pattern)
{
	struct pin *found = find(pins, addr, pattern), *pin, *last = NULL;
	unsigned int n_of_addr = 0;

	if (found != NULL)
		return found;
	/* The latest is the first. */
	LIST_FOREACH(pin, &pins->buckets[bucket_of(pins, addr)], in_bucket)
	{
		if (!inaddr_is_equal(&pin->addr, addr))
			continue;
		last = pin;
		n_of_addr++;
	}
	if (n_of_addr == PINS_PER_ADDR_MAX)
		drop(pins, last);
	if (pins->n_of_pattern[pattern] == PINS_PER_PATTERN_MAX)
		drop(pins, TAILQ_FIRST(&pins->of_pattern[pattern]));
	if (TAILQ_EMPTY(&pins->free) && pins->n == PINS_MAX)
		drop(pins, TAILQ_FIRST(&pins->aged));
	return NULL;
}

static struct pin *
take_place(struct pins *pins)
{
	struct pin *pin = TAILQ_FIRST(&pins->free);

	if (pin != NULL)
		TAILQ_REMOVE(&pins->free, pin, aged);
	else
		pin = &pins->places[pins->n++];
	return pin;
}

void
pins_add(struct pins *pins, const struct inaddr *addr, uint16_t pattern, uint32_t ttl_s,
    uint64_t now_ms)
{
	struct pin *pin = find_or_make_place(pins, addr, pattern);
	uint32_t n_flows = 0;
	uint64_t ends_ms;

	ttl_s = ttl_s > PINS_LIFE_MIN_S ? ttl_s : PINS_LIFE_MIN_S;
	ttl_s = ttl_s < PINS_LIFE_MAX_S ? ttl_s : PINS_LIFE_MAX_S;
	ends_ms = now_ms + (uint64_t)ttl_s * CLOCK_MS_PER_S;
	if (pin != NULL) {
		ends_ms = ends_ms > pin->ends_ms ? ends_ms : pin->ends_ms;
		n_flows = pin->n_flows;
		drop(pins, pin);
	}
	pin = take_place(pins);
	pin->addr = *addr;
	pin->pattern = pattern;
	pin->ends_ms = ends_ms;
	pin->n_flows = n_flows;
	LIST_INSERT_HEAD(&pins->buckets[bucket_of(pins, addr)], pin, in_bucket);
	TAILQ_INSERT_TAIL(&pins->of_pattern[pattern], pin, of_pattern);
	TAILQ_INSERT_TAIL(&pins->aged, pin, aged);
	pins->n_of_pattern[pattern]++;
}

size_t
pins_find(const struct pins *pins, const struct inaddr *addr, uint64_t now_ms,
    uint16_t patterns[PINS_PER_ADDR_MAX])
{
	const struct pin *pin;
	size_t n = 0;

	LIST_FOREACH(pin, &pins->buckets[bucket_of(pins, addr)], in_bucket)
	{
		if (inaddr_is_equal(&pin->addr, addr) && !is_over(pin, now_ms))
			patterns[n++] = pin->pattern;
	}
	return n;
}

void
pins_hold(struct pins *pins, const struct inaddr *addr, uint16_t pattern)
{
	struct pin *pin = find(pins, addr, pattern);

	if (pin != NULL)
		pin->n_flows++;
}

static void
last_after_flow(struct pin *pin, uint64_t now_ms)
{
	uint64_t ends_ms = now_ms + (uint64_t)PINS_LIFE_AFTER_FLOW_S * CLOCK_MS_PER_S;

	if (pin->ends_ms < ends_ms)
		pin->ends_ms = ends_ms;
}

void
pins_release(struct pins *pins, const struct inaddr *addr, uint16_t pattern,
    uint64_t now_ms)
{
	struct pin *pin = find(pins, addr, pattern);

	if (pin == NULL || pin->n_flows == 0)
		return;
	pin->n_flows--;
	last_after_flow(pin, now_ms);
}

void
pins_release_all(struct pins *pins, uint64_t now_ms)
{
	struct pin *pin;

	TAILQ_FOREACH(pin, &pins->aged, aged)
	{
		if (pin->n_flows == 0)
			continue;
		pin->n_flows = 0;
		last_after_flow(pin, now_ms);
	}
}

uint32_t
pins_count(const struct pins *pins, uint64_t now_ms)
{
	const struct pin *pin;
	uint32_t n = 0;

	TAILQ_FOREACH(pin, &pins->aged, aged)
	{
		if (!is_over(pin, now_ms))
			n++;
	}
	return n;
}

void
pins_move(struct pins *pins, const uint16_t new_patterns[PINS_N_PATTERNS])
{
	struct pin *pin, *next;

	for (pin = TAILQ_FIRST(&pins->aged); pin != NULL; pin = next) {
		next = TAILQ_NEXT(pin, aged);
		if (new_patterns[pin->pattern] == PINS_N_PATTERNS)
			drop(pins, pin);
	}
	for (size_t i = 0; i < PINS_N_PATTERNS; i++)
		TAILQ_INIT(&pins->of_pattern[i]);
	memset(pins->n_of_pattern, 0, sizeof(pins->n_of_pattern));
	TAILQ_FOREACH(pin, &pins->aged, aged)
	{
		pin->pattern = new_patterns[pin->pattern];
		pin->n_flows = 0;
		TAILQ_INSERT_TAIL(&pins->of_pattern[pin->pattern], pin, of_pattern);
		pins->n_of_pattern[pin->pattern]++;
	}
}

const struct pin *
pins_from(const struct pins *pins, uint32_t *place, uint64_t now_ms)
{
	while (*place < pins->n) {
		const struct pin *pin = &pins->places[(*place)++];

		/* A free place has the end 0 and no flows. */
		if (!is_over(pin, now_ms))
			return pin;
	}
	return NULL;
}
