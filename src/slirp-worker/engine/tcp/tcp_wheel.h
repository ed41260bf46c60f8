/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timers of TCP flows: a wheel with slots of 4 ms for the next 4 seconds, and slots
 * of 4 seconds for the next 17 minutes. A later time is allowed; its timer moves several
 * times. All functions but tcp_wheel_init() cost the same however many timers are set.
 *
 * Times are milliseconds since the start of the engine and compared by difference, so
 * that they may wrap. So tcp_wheel_take() has to be called at least once in 24 days,
 * also if no timer is set, and no time may be 24 days ahead.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sys/queue.h>

/* A late timer is late by less than this: of the timers, the tail probe has the shortest
 * time, 10 ms. */
#define TCP_WHEEL_TICK_MS 4
/* 4.1 s: most retransmissions. */
#define TCP_WHEEL_N_NEAR 1024
/* 17 min: longer times are those of idle flows. */
#define TCP_WHEEL_N_FAR 256

#define TCP_WHEEL_N_SLOTS (TCP_WHEEL_N_NEAR + TCP_WHEEL_N_FAR)

/* All zeros: not set. Part of a flow, which cancels it before the flow ends. */
struct tcp_timer {
	TAILQ_ENTRY(tcp_timer) link;
	uint32_t at_ms;
	uint32_t slot; /* its number in slots, plus 1; 0: not set */
};

TAILQ_HEAD(tcp_timer_list, tcp_timer);

struct tcp_wheel {
	struct tcp_timer_list slots[TCP_WHEEL_N_SLOTS]; /* the near ones are first */
	uint64_t used[TCP_WHEEL_N_SLOTS / 64]; /* a bit for each slot that has a timer */
	uint32_t tick;    /* the present slot; counts on where the near slots wrap */
	uint32_t tick_ms; /* the time of this tick: its timers are due */
};

/* The wheel must not move in memory. It refers to timers, which belong to the caller. */
void tcp_wheel_init(struct tcp_wheel *wheel, uint32_t now_ms);

/* Sets the timer, or moves it. A time that has passed is due at the next take. */
void tcp_wheel_set(struct tcp_wheel *wheel, struct tcp_timer *timer, uint32_t at_ms);

/* Does nothing if the timer is not set. */
void tcp_wheel_cancel(struct tcp_wheel *wheel, struct tcp_timer *timer);

bool tcp_timer_is_set(const struct tcp_timer *timer);

/*
 * How long tcp_wheel_take() has nothing to do: 0 if it has work now, UINT32_MAX if no
 * timer is set. This ends at most 3 ms after the earliest timer's time, and possibly
 * before: timers move from a far slot to near ones.
 */
uint32_t tcp_wheel_wait_ms(const struct tcp_wheel *wheel, uint32_t now_ms);

/*
 * Takes out a timer that is due. Timers come in the order of their slots, those of one
 * slot in the order in which they were set; never before their time. NULL: none is due,
 * or many had to be moved; tcp_wheel_wait_ms() is then 0 and the next turn goes on.
 *
 * A timer that is set to a passed time comes again, so the caller limits the number of
 * timers in one turn.
 */
struct tcp_timer *tcp_wheel_take(struct tcp_wheel *wheel, uint32_t now_ms);
