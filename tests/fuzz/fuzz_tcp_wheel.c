/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timers of TCP flows beside a list of times: a timer comes once, never before its
 * time, and less than a tick after it.
 *
 * Input: the start of the clock in four bytes, then steps of four bytes: what to do, which
 * timer, and a number of milliseconds.
 */
#include "base/bytes.h"
#include "slirp-worker/engine/tcp/tcp_wheel.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define N_TIMERS 64

enum { SET, SET_PASSED, CANCEL, WAIT, TAKE_ONE, TAKE_ALL, N_ACTIONS };

/* Times do not wrap here. */
static uint64_t now_ms;
static struct model {
	struct tcp_timer timer;
	bool is_set;
	uint64_t at_ms;
} models[N_TIMERS];
static struct tcp_wheel wheel;

#define promise(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static uint32_t
clock_ms(void)
{
	return (uint32_t)now_ms;
}

static uint64_t
earliest_ms(void)
{
	uint64_t earliest = UINT64_MAX;

	for (int i = 0; i < N_TIMERS; i++) {
		promise(tcp_timer_is_set(&models[i].timer) == models[i].is_set);
		if (models[i].is_set && models[i].at_ms < earliest)
			earliest = models[i].at_ms;
	}
	return earliest;
}

static void
check_wait(void)
{
	uint32_t wait_ms = tcp_wheel_wait_ms(&wheel, clock_ms());
	uint64_t earliest = earliest_ms();

	promise((earliest == UINT64_MAX) == (wait_ms == UINT32_MAX));
	promise(wait_ms == 0 || wait_ms == UINT32_MAX ||
	    now_ms + wait_ms < earliest + TCP_WHEEL_TICK_MS);
}

static bool
take(void)
{
	struct tcp_timer *timer = tcp_wheel_take(&wheel, clock_ms());
	struct model *model = (struct model *)timer;

	if (timer == NULL)
		return false;
	promise(model->is_set && model->at_ms <= now_ms);
	model->is_set = false;
	return true;
}

static void
step(const uint8_t *data)
{
	struct model *model = &models[data[1] % N_TIMERS];
	/* Up to four hours. */
	uint64_t n_ms = (uint64_t)load_be16(data + 2) << data[0] / N_ACTIONS % 9;

	switch (data[0] % N_ACTIONS) {
	case SET:
	case SET_PASSED:
		model->at_ms = now_ms + n_ms;
		if (data[0] % N_ACTIONS == SET_PASSED)
			model->at_ms = now_ms - n_ms;
		model->is_set = true;
		tcp_wheel_set(&wheel, &model->timer, (uint32_t)model->at_ms);
		break;
	case CANCEL:
		tcp_wheel_cancel(&wheel, &model->timer);
		model->is_set = false;
		break;
	case WAIT:
		now_ms += n_ms;
		/* The wheel has to know the time at least once in 24 days. */
		take();
		break;
	case TAKE_ONE:
		take();
		break;
	case TAKE_ALL:
		while (take() || tcp_wheel_wait_ms(&wheel, clock_ms()) == 0)
			;
		promise(earliest_ms() + TCP_WHEEL_TICK_MS > now_ms ||
		    earliest_ms() == UINT64_MAX);
		break;
	}
	check_wait();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4)
		return 0;
	memset(models, 0, sizeof(models));
	/* So that a passed time is not below 0. */
	now_ms = (UINT64_C(1) << 32) + load_be32(data);
	tcp_wheel_init(&wheel, clock_ms());
	for (size_t i = 4; i + 4 <= size; i += 4)
		step(data + i);
	/* All timers come in the end. */
	while (earliest_ms() != UINT64_MAX) {
		while (take() || tcp_wheel_wait_ms(&wheel, clock_ms()) == 0)
			;
		check_wait();
		if (earliest_ms() != UINT64_MAX)
			now_ms += tcp_wheel_wait_ms(&wheel, clock_ms());
	}
	return 0;
}
