/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's loop: waits for events, then serves TAP, sockets and api. */
#include "slirp-worker/loop.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "slirp-worker/api_requests.h"
#include "slirp-worker/chan_connector.h"
#include "slirp-worker/control.h"
#include "slirp-worker/datapath.h"

/* Frames read for each wait. A wait costs a system call, which 16 frames share. Trials with more gained nothing and delayed the sockets. */
#define BATCH_FRAMES 16
static_assert(BATCH_FRAMES <= TAPIO_BUFFERS, "an engine may keep each of them");

/* A longer frame belongs to a stream: others follow it. */
#define LONE_FRAME_MAX 1024

static void
look_at_clock(struct worker *worker)
{
	int64_t now_ns = clock_now_ns();

	stack_set_time(worker->stack, now_ns);
	tcp_set_time(&worker->tcp.tcp, (uint64_t)now_ns / CLOCK_NS_PER_US);
	worker->now_ms = (uint64_t)(now_ns / CLOCK_NS_PER_MS);
}

/* Sends what has waited for events that have not come. Returns the timeout of the sleep. */
static int
timeout_of_sleep(struct worker *worker, uint64_t due_ms)
{
	uint64_t now_ms = worker->now_ms;

	if (tcp_before_sleep(&worker->tcp.tcp))
		due_ms = deadline_earlier(due_ms, now_ms + tcp_wait_ms(&worker->tcp.tcp));
	return deadline_timeout(due_ms, now_ms);
}

static void
wait_for_events(struct worker *worker)
{
	struct poller *poller = &worker->poller;
	uint64_t now_ms = worker->now_ms;
	uint64_t due_ms = tapio_prepare_wait(&worker->tap, now_ms);
	int timeout_ms, n;

	poller_expect(poller, POLLER_API, api_requests_are_heard(worker) ? EPOLLIN : 0);
	due_ms = deadline_earlier(due_ms, chan_connector_report(worker));
	due_ms = deadline_earlier(due_ms, reass_next_deadline(&worker->reass));
	if (worker->api_pause_ends_ms > now_ms)
		due_ms = deadline_earlier(due_ms, worker->api_pause_ends_ms);
	due_ms = deadline_earlier(due_ms, engines_prepare(&worker->engines, now_ms));
	due_ms = deadline_earlier(due_ms, asks_due(&worker->asks, now_ms));
	timeout_ms = deadline_timeout(due_ms, now_ms);
	n = poller_look(poller, timeout_ms);
	if (n == 0 && timeout_ms != 0)
		n = poller_sleep(poller, timeout_of_sleep(worker, due_ms));
	/* epoll_wait(2) fails for no shortage, only if its descriptor is not one. */
	if (n == -1 && errno != EINTR)
		fatal("wait for frames and sockets");
}

/* Reads at most n_max frames, or up to a short one if that is expected to be alone. A read
 * that finds no frame costs a system call, and a frame that is left ends the next wait at
 * once. Returns the number of frames. */
static int
read_batch(struct worker *worker, int n_max, bool expects_lone)
{
	uint8_t *frame;
	size_t frame_len;
	bool is_last = false;
	int n = 0;

	while (n < n_max && !is_last) {
		switch (tapio_read(&worker->tap, &frame, &frame_len)) {
		case TAPIO_FRAME:
			worker_count(worker, IPC_COUNTER_frames_from_guest, 1);
			worker_count(worker, IPC_COUNTER_bytes_from_guest, frame_len);
			datapath_from_guest(worker, frame, frame_len);
			is_last = expects_lone && frame_len <= LONE_FRAME_MAX;
			n++;
			break;
		case TAPIO_NONE:
			return n;
		case TAPIO_GONE:
			worker_control_tap_gone(worker, errno);
			return n;
		}
	}
	return n;
}

static int
take_batch(struct worker *worker, int n_max, bool expects_lone)
{
	int n = read_batch(worker, n_max, expects_lone);

	datapath_end_batch(worker);
	return n;
}

/* The guest's kernel has handled the turn's frames during write(2), so its answers are
 * ready: reads them without a wait. */
static void
take_answers(struct worker *worker, uint64_t n_frames, uint64_t n_bytes)
{
	bool was_lone = n_frames == 1 && n_bytes <= LONE_FRAME_MAX;
	int n_max =
	    was_lone ? answers_expected(&worker->answers, BATCH_FRAMES) : BATCH_FRAMES;
	int n = take_batch(worker, n_max, false);

	if (was_lone && n < n_max)
		answers_were(&worker->answers, n);
	stack_go_on(worker->stack);
	tcp_serve(&worker->tcp.tcp);
}

/* The first channel to the resolver comes before the caller hears that the network is ready. A
 * query that the guest sends then must not be read before the channel: so one frame is read for
 * each look at the messages of the parent. */
static bool
lacks_channel(const struct worker *worker)
{
	return worker->network.enable_dns && worker->resolver.role == IPC_ROLE_NONE;
}

static void
turn(struct worker *worker)
{
	const uint64_t *counters = worker->stats.counters;
	const struct poller *poller = &worker->poller;
	uint32_t tap_events;
	uint64_t n_frames, n_bytes;

	look_at_clock(worker);
	wait_for_events(worker);
	tap_events =
	    poller_ready(poller, POLLER_TAP) | poller_ready(poller, POLLER_CLIENTS);
	look_at_clock(worker);
	if (poller_ready(poller, POLLER_PARENT))
		worker_control_receive(worker);
	if (poller_ready(poller, POLLER_CONNECTOR) & ~(uint32_t)EPOLLOUT)
		chan_connector_receive(worker);
	if (poller_ready(poller, POLLER_RESOLVER))
		chan_resolver_receive(worker);
	if (tapio_is_gone(&worker->tap, tap_events)) {
		worker_control_tap_gone(worker, ENODEV);
	} else if (tap_events) {
		if (poller->found_at_once)
			answers_forget(&worker->answers);
		/* A frame that ended a wait comes alone, unless the guest sends a stream. If
		 * it was there before the wait, others may be there too. */
		take_batch(worker, lacks_channel(worker) ? 1 : BATCH_FRAMES,
		    !poller->found_at_once);
	}
	/* Serve the sockets after the frames: acknowledgements have opened windows, and
	 * answers that the stack waited for have arrived. */
	n_frames = counters[IPC_COUNTER_frames_to_guest];
	n_bytes = counters[IPC_COUNTER_bytes_to_guest];
	engines_finish(&worker->engines, worker->now_ms);
	asks_turn(&worker->asks, worker->now_ms);
	n_frames = counters[IPC_COUNTER_frames_to_guest] - n_frames;
	n_bytes = counters[IPC_COUNTER_bytes_to_guest] - n_bytes;
	if (n_frames > 0 && !lacks_channel(worker))
		take_answers(worker, n_frames, n_bytes);
	if (poller_ready(poller, POLLER_API))
		api_requests_receive(worker);
	reass_expire(&worker->reass, worker->now_ms);
}

void
worker_loop_run(struct worker *worker)
{
	/* Start libslirp's time. */
	look_at_clock(worker);
	stack_go_on(worker->stack);
	while (!worker->ended)
		turn(worker);
}
