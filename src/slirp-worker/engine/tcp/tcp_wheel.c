/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timers of TCP flows, in a wheel.
 *
 * Theory of operation
 * Time is counted in ticks of 4 ms from the start, and rounded up for a timer. A timer of
 * the next 1,024 ticks is in the near slot of its tick. A period is 1,024 ticks. A later
 * timer is in the far slot of its period, or of an earlier one. When a period begins, the
 * timers of its far slot are set again; they come into near slots or a later far slot.
 *
 * The tick moves from one used slot to the next, which a bitmap tells, and does not move
 * on while the present slots have timers.
 */
#include "slirp-worker/engine/tcp/tcp_wheel.h"

#include <string.h>

#define N_NEAR TCP_WHEEL_N_NEAR
#define N_FAR TCP_WHEEL_N_FAR
#define TICK_MS TCP_WHEEL_TICK_MS

#define BITS_PER_WORD 64

/* Timers of one far slot that one call moves: some ten microseconds. After ten thousand
 * connections in one second, a slot may have as many. */
#define MOVES_MAX 1024

#define NEVER UINT32_MAX

void
tcp_wheel_init(struct tcp_wheel *wheel, uint32_t now_ms)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->tick_ms = now_ms;
	for (int i = 0; i < TCP_WHEEL_N_SLOTS; i++)
		TAILQ_INIT(&wheel->slots[i]);
}

/* Ticks from the present one to a time, rounded up; 0 if the time has passed. */
static uint32_t
ticks_until(const struct tcp_wheel *wheel, uint32_t at_ms)
{
	int32_t ahead_ms = (int32_t)(at_ms - wheel->tick_ms);

	return ahead_ms <= 0 ? 0 : ((uint32_t)ahead_ms + TICK_MS - 1) / TICK_MS;
}

static uint32_t
slot_for(const struct tcp_wheel *wheel, uint32_t n_ticks)
{
	uint32_t n_periods = n_ticks / N_NEAR;

	if (n_ticks < N_NEAR)
		return (wheel->tick + n_ticks) % N_NEAR;
	if (n_periods >= N_FAR)
		n_periods = N_FAR - 1;
	return N_NEAR + (wheel->tick / N_NEAR + n_periods) % N_FAR;
}

void
tcp_wheel_set(struct tcp_wheel *wheel, struct tcp_timer *timer, uint32_t at_ms)
{
	uint32_t slot = slot_for(wheel, ticks_until(wheel, at_ms));

	tcp_wheel_cancel(wheel, timer);
	TAILQ_INSERT_TAIL(&wheel->slots[slot], timer, link);
	wheel->used[slot / BITS_PER_WORD] |= UINT64_C(1) << slot % BITS_PER_WORD;
	timer->slot = slot + 1;
	timer->at_ms = at_ms;
}

void
tcp_wheel_cancel(struct tcp_wheel *wheel, struct tcp_timer *timer)
{
	uint32_t slot = timer->slot - 1;

	if (!tcp_timer_is_set(timer))
		return;
	TAILQ_REMOVE(&wheel->slots[slot], timer, link);
	if (TAILQ_EMPTY(&wheel->slots[slot]))
		wheel->used[slot / BITS_PER_WORD] &=
		    ~(UINT64_C(1) << slot % BITS_PER_WORD);
	timer->slot = 0;
}

bool
tcp_timer_is_set(const struct tcp_timer *timer)
{
	return timer->slot != 0;
}

/* How far the next bit that is set is from `from`, around the end; n_bits if none is. */
static uint32_t
distance(const uint64_t *words, uint32_t n_bits, uint32_t from)
{
	for (uint32_t passed = 0; passed < n_bits;) {
		uint32_t at = (from + passed) % n_bits;
		uint64_t word = words[at / BITS_PER_WORD] >> at % BITS_PER_WORD;

		if (word != 0)
			return passed + (uint32_t)__builtin_ctzll(word);
		passed += BITS_PER_WORD - at % BITS_PER_WORD;
	}
	return n_bits;
}

/* Ticks until a slot has timers, to be taken or to be moved. */
static uint32_t
ticks_until_work(const struct tcp_wheel *wheel)
{
	uint32_t near = distance(wheel->used, N_NEAR, wheel->tick % N_NEAR);
	uint32_t far = distance(wheel->used + N_NEAR / BITS_PER_WORD, N_FAR,
	    wheel->tick / N_NEAR % N_FAR);

	/* A period does not go on before its far slot is empty: 0 if this one is not. */
	far = far == N_FAR ? NEVER : far * N_NEAR - wheel->tick % N_NEAR;
	near = near == N_NEAR ? NEVER : near;
	return near < far ? near : far;
}

uint32_t
tcp_wheel_wait_ms(const struct tcp_wheel *wheel, uint32_t now_ms)
{
	uint32_t n_ticks = ticks_until_work(wheel);
	int32_t wait_ms = (int32_t)(wheel->tick_ms + n_ticks * TICK_MS - now_ms);

	if (n_ticks == NEVER)
		return UINT32_MAX;
	return wait_ms <= 0 ? 0 : (uint32_t)wait_ms;
}

/* Sets timers of this period's far slot again. Returns false if there are more. */
static bool
move_near(struct tcp_wheel *wheel)
{
	struct tcp_timer_list *list =
	    &wheel->slots[N_NEAR + wheel->tick / N_NEAR % N_FAR];

	for (int i = 0; i < MOVES_MAX && !TAILQ_EMPTY(list); i++) {
		struct tcp_timer *timer = TAILQ_FIRST(list);

		tcp_wheel_set(wheel, timer, timer->at_ms);
	}
	return TAILQ_EMPTY(list);
}

struct tcp_timer *
tcp_wheel_take(struct tcp_wheel *wheel, uint32_t now_ms)
{
	for (;;) {
		int32_t passed_ms = (int32_t)(now_ms - wheel->tick_ms);
		uint32_t passed = passed_ms < 0 ? 0 : (uint32_t)passed_ms / TICK_MS;
		uint32_t n_ticks = ticks_until_work(wheel);
		bool has_work = n_ticks <= passed;
		struct tcp_timer *timer;

		if (!has_work)
			n_ticks = passed;
		wheel->tick += n_ticks;
		wheel->tick_ms += n_ticks * TICK_MS;
		if (!has_work)
			return NULL;
		timer = TAILQ_FIRST(&wheel->slots[wheel->tick % N_NEAR]);
		if (timer != NULL) {
			tcp_wheel_cancel(wheel, timer);
			return timer;
		}
		if (!move_near(wheel))
			return NULL;
	}
}
