/* SPDX-License-Identifier: BSD-2-Clause */
/* The TCP machine's memory, lists and turn: which flow gets served, and when. */
#include "slirp-worker/engine/tcp/tcp.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/mapping.h"
#include "slirp-worker/engine/tcp/tcp_parts.h"

/* Pool space that a starved flow needs before it is served again: one read. */
#define STARVED_WANTS TCP_KEPT_MIN

/* Times are compared by difference, and those in the past must not become future: a turn
 * comes at least once in 24 days (tcp_wheel.h). A day is often enough, and costs nothing. */
#define SLEEP_MAX_MS 86400000u

int
tcp_init(struct tcp *tcp, const struct tcp_config *config, const struct tcp_world *world,
    uint64_t now_us)
{
	*tcp = (struct tcp){ .world = world, .config = *config };
	if (config->n_sockets_max == 0)
		tcp->config.n_sockets_max = config->n_flows_max;
	TAILQ_INIT(&tcp->touched);
	TAILQ_INIT(&tcp->ready);
	TAILQ_INIT(&tcp->starved);
	TAILQ_INIT(&tcp->opening);
	TAILQ_INIT(&tcp->time_wait);
	TAILQ_INIT(&tcp->waiting_acks);
	TAILQ_INIT(&tcp->exchange_acks);
	tcp_set_time(tcp, now_us);
	tcp->epoch_ends_ms = tcp->now_ms + TCP_EPOCH_MS;
	tcp->second_ends_ms = tcp->now_ms + CLOCK_MS_PER_S;
	tcp->give_back_at_ms = tcp->now_ms + TCP_GIVE_BACK_MS;
	tcp->starved_look_at_ms = tcp->now_ms;
	tcp->epoch = 1;
	tcp_wheel_init(&tcp->wheel, tcp->now_ms);
	tcp->gaps = mapping_new(TCP_GAPS_MAX * sizeof(struct tcp_gaps));
	if (!tcp->gaps ||
	    flow_table_init(&tcp->flows, sizeof(struct tcp_flow), config->n_flows_max) ==
		-1 ||
	    tcp_pool_init(&tcp->pool, config->pool_bytes) == -1 ||
	    addr_count_init(&tcp->by_guest, TCP_OPENING_MAX, TCP_OPENING_BY_GUEST) ==
		-1 ||
	    addr_count_init(&tcp->by_peer, TCP_OPENING_MAX, TCP_OPENING_BY_PEER) == -1 ||
	    addr_count_init(&tcp->by_forwarded, TCP_ACCEPTED_MAX, TCP_ACCEPTED_BY_PORT) ==
		-1) {
		tcp_free(tcp);
		return -1;
	}
	return 0;
}

void
tcp_free(struct tcp *tcp)
{
	int saved_errno = errno;
	struct tcp_flow *flow = NULL;

	while ((flow = flow_table_next(&tcp->flows, flow)))
		tcp_abort(tcp, flow, TCP_END_shutdown);
	tcp_end_turn(tcp);
	flow_table_free(&tcp->flows);
	tcp_pool_free(&tcp->pool);
	addr_count_free(&tcp->by_guest);
	addr_count_free(&tcp->by_peer);
	addr_count_free(&tcp->by_forwarded);
	if (tcp->gaps)
		munmap(tcp->gaps, TCP_GAPS_MAX * sizeof(struct tcp_gaps));
	tcp->gaps = NULL;
	errno = saved_errno;
}

struct tcp_gaps *
tcp_gaps_of(struct tcp *tcp, struct tcp_flow *flow)
{
	struct tcp_gaps *gaps = flow->gaps;

	if (gaps)
		return gaps;
	if (tcp->free_gaps) {
		gaps = tcp->free_gaps;
		tcp->free_gaps = gaps->next_free;
	} else if (tcp->n_gaps < TCP_GAPS_MAX) {
		/* Never used before: its page costs nothing until now. */
		gaps = &tcp->gaps[tcp->n_gaps++];
	} else {
		return NULL;
	}
	*gaps = (struct tcp_gaps){ 0 };
	flow->gaps = gaps;
	return gaps;
}

void
tcp_gaps_put(struct tcp *tcp, struct tcp_flow *flow)
{
	struct tcp_gaps *gaps = flow->gaps;

	if (!gaps || gaps->n_ranges > 0 || gaps->n_sacked > 0)
		return;
	gaps->next_free = tcp->free_gaps;
	tcp->free_gaps = gaps;
	flow->gaps = NULL;
}

static void
begin_epoch(struct tcp *tcp)
{
	tcp->n_senders = tcp->n_senders_now;
	tcp->n_senders_now = 0;
	tcp->epoch++;
	tcp->epoch_ends_ms = tcp->now_ms + TCP_EPOCH_MS;
}

void
tcp_set_time(struct tcp *tcp, uint64_t now_us)
{
	tcp->now_us = now_us;
	tcp->now_ms = (uint32_t)(now_us / TCP_US_PER_MS);
	if (tcp_is_due(tcp, tcp->epoch_ends_ms))
		begin_epoch(tcp);
	if (tcp_is_due(tcp, tcp->second_ends_ms)) {
		tcp->n_resets = 0;
		tcp->has_looked_for_idle = false;
		tcp->second_ends_ms = tcp->now_ms + CLOCK_MS_PER_S;
	}
}

void
tcp_touch(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->is_touched)
		return;
	flow->is_touched = true;
	TAILQ_INSERT_TAIL(&tcp->touched, flow, turn_entry);
}

void
tcp_unready(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->is_ready)
		TAILQ_REMOVE(&tcp->ready, flow, ready_entry);
	if (flow->is_starved)
		TAILQ_REMOVE(&tcp->starved, flow, ready_entry);
	flow->is_ready = flow->is_starved = false;
}

/* A flow without any data here may use the reserve of the pool. */
static bool
has_nothing_here(const struct tcp_flow *flow)
{
	return flow->kept.n_bytes == 0 && flow->tail.n_bytes == 0;
}

/* Whether the flow has something to send beside new data: without what was lost, the
 * guest's acknowledgements do not free the buffers that others wait for. */
static bool
needs_no_buffer(const struct tcp_flow *flow)
{
	return flow->snd_nxt != flow->snd_max || flow->in_recovery || flow->ack_now ||
	    flow->host_failed || has_nothing_here(flow);
}

/* The flow is in no list. */
static void
queue_last(struct tcp *tcp, struct tcp_flow *flow)
{
	flow->is_ready = true;
	TAILQ_INSERT_TAIL(&tcp->ready, flow, ready_entry);
}

/* Flows with short reads go first: a request must not wait for the bulk of others. */
void
tcp_make_ready(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->is_ready || (flow->is_starved && !needs_no_buffer(flow)))
		return;
	tcp_unready(tcp, flow);
	if (flow->read_hint >= TCP_SMALL_READ) {
		queue_last(tcp, flow);
		return;
	}
	flow->is_ready = true;
	TAILQ_INSERT_HEAD(&tcp->ready, flow, ready_entry);
}

void
tcp_starve(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->is_starved)
		return;
	tcp_unready(tcp, flow);
	tcp_count(tcp, TCP_COUNT_starved, 1);
	flow->is_starved = true;
	TAILQ_INSERT_TAIL(&tcp->starved, flow, ready_entry);
}

/* A flow whose guest or peer takes nothing holds buffers that others wait for. */
static void
end_the_stuck(struct tcp *tcp)
{
	struct tcp_flow *worst = NULL;
	struct tcp_flow *flow = NULL;

	tcp->starved_look_at_ms = tcp->now_ms + TCP_STARVED_LOOK_MS;
	while ((flow = flow_table_next(&tcp->flows, flow)))
		if ((flow->kept.n_bytes > 0 || flow->tail.n_bytes > 0 || flow->gaps) &&
		    tcp->now_us - flow->progress_at_us > TCP_NO_PROGRESS_US &&
		    (!worst || flow->progress_at_us < worst->progress_at_us))
			worst = flow;
	if (worst)
		tcp_abort(tcp, worst, TCP_END_no_memory);
}

static bool
can_feed(const struct tcp *tcp, const struct tcp_flow *flow)
{
	size_t kept_back = has_nothing_here(flow) ? 0 : tcp->pool.reserve_bytes;

	return tcp_pool_free_bytes(&tcp->pool) >= kept_back + STARVED_WANTS;
}

/* One at a time: the next one gets what this one leaves. */
static void
feed_the_starved(struct tcp *tcp)
{
	struct tcp_flow *flow = TAILQ_FIRST(&tcp->starved);

	if (!flow) {
		tcp->starved_look_at_ms = tcp->now_ms;
	} else if (can_feed(tcp, flow)) {
		tcp_unready(tcp, flow);
		queue_last(tcp, flow);
	} else if (tcp_is_due(tcp, tcp->starved_look_at_ms)) {
		end_the_stuck(tcp);
	}
}

void
tcp_serve(struct tcp *tcp)
{
	uint32_t n_left = TCP_TURN_BYTES;

	feed_the_starved(tcp);
	for (int i = 0; i < TCP_TURN_VISITS && n_left > 0 && !tcp->tap_stopped; i++) {
		struct tcp_flow *flow = TAILQ_FIRST(&tcp->ready);

		if (!flow)
			break;
		tcp_unready(tcp, flow);
		if (tcp_visit(tcp, flow, &n_left) && !flow->is_starved &&
		    !flow->is_ready) {
			/* An acknowledgement that was refused has made it ready already. */
			queue_last(tcp, flow);
		}
	}
}

void
tcp_tap_ready(struct tcp *tcp)
{
	tcp->tap_stopped = false;
}

void
tcp_end_batch(struct tcp *tcp)
{
	struct tcp_flow *flow;

	while ((flow = TAILQ_FIRST(&tcp->touched))) {
		TAILQ_REMOVE(&tcp->touched, flow, turn_entry);
		flow->is_touched = false;
		tcp_settle_input(tcp, flow);
	}
	tcp->n_noted = 0;
}

static void
host_wrote(struct tcp *tcp, struct tcp_flow *flow)
{
	tcp_drain_tail(tcp, flow);
	/* A guest that has ended sends no more. If it has forgotten the flow, its answer
	 * would be a reset. */
	if (flow->state == TCP_STATE_OPEN && flow->owes_update && !flow->guest_fin &&
	    tcp_window_opens(tcp, flow))
		flow->ack_now = true;
	if (flow->state == TCP_STATE_OPEN && flow->ack_now)
		tcp_send_ack(tcp, flow);
}

void
tcp_host_ready(struct tcp *tcp, uint32_t index, uint32_t generation, uint32_t events)
{
	struct tcp_flow *flow = flow_table_at(&tcp->flows, index, generation);

	if (!flow || flow->fd == -1)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		flow->can_read = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		flow->has_hangup = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		flow->can_write = true;
	if (flow->state == TCP_STATE_CONNECT) {
		if (flow->can_write)
			tcp_host_connected(tcp, flow, events);
		return;
	}
	/* The peer of a forward has gone before the guest answered. A peer that has only
	 * ended its direction causes neither event. */
	if (flow->state == TCP_STATE_SYN_SENT && (events & (EPOLLHUP | EPOLLERR))) {
		tcp_note_failure(flow, tcp->world->error(tcp->world->ctx, flow->fd));
		tcp_abort(tcp, flow, (enum tcp_end)flow->end);
		return;
	}
	if (flow->state != TCP_STATE_OPEN)
		return;
	/* After the end of file no read finds an error. */
	if (events & EPOLLERR && flow->host_eof && !flow->host_failed)
		tcp_host_fails(tcp, flow, tcp->world->error(tcp->world->ctx, flow->fd));
	if (flow->can_write && flow->tail.n_bytes > 0)
		host_wrote(tcp, flow);
	if (flow->state == TCP_STATE_OPEN && tcp_has_something(flow))
		tcp_make_ready(tcp, flow);
}

/* The wheel has an entry of each flow at its earliest time. A later time is only stored:
 * the entry fires early, and schedule_all() sets it again. */
void
tcp_schedule(struct tcp *tcp, struct tcp_flow *flow, uint32_t at_ms)
{
	if (!tcp_timer_is_set(&flow->timer) || (int32_t)(at_ms - flow->timer.at_ms) < 0)
		tcp_wheel_set(&tcp->wheel, &flow->timer, at_ms);
}

static void
schedule_all(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->state == TCP_STATE_DEAD)
		return;
	if (flow->send_timer != TCP_NO_TIMER)
		tcp_schedule(tcp, flow, flow->send_at_ms);
	if (flow->state == TCP_STATE_OPEN || flow->state == TCP_STATE_TIME_WAIT)
		tcp_schedule(tcp, flow, flow->idle_at_ms);
}

static void
run_times(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->send_timer != TCP_NO_TIMER && tcp_is_due(tcp, flow->send_at_ms)) {
		if (flow->state == TCP_STATE_OPEN)
			tcp_send_timeout(tcp, flow);
		else
			tcp_opening_timeout(tcp, flow);
	}
	if (flow->state == TCP_STATE_TIME_WAIT && tcp_is_due(tcp, flow->idle_at_ms))
		tcp_end_flow(tcp, flow, TCP_END_closed);
	if (flow->state == TCP_STATE_OPEN && tcp_is_due(tcp, flow->idle_at_ms))
		tcp_idle_timeout(tcp, flow);
	/* The idle timer brings every flow here in time: after 24 days the past is future. */
	if (tcp_is_due(tcp, flow->challenge_at_ms))
		flow->challenge_at_ms = tcp->now_ms;
	schedule_all(tcp, flow);
}

static struct tcp_flow *
flow_of_timer(struct tcp_timer *timer)
{
	return (struct tcp_flow *)((char *)timer - offsetof(struct tcp_flow, timer));
}

void
tcp_run_timers(struct tcp *tcp)
{
	for (int i = 0; i < TCP_TIMERS_A_TURN; i++) {
		struct tcp_timer *timer = tcp_wheel_take(&tcp->wheel, tcp->now_ms);

		if (!timer)
			break;
		run_times(tcp, flow_of_timer(timer));
	}
	tcp_send_late_acks(tcp);
	if (tcp->tap_stopped && tcp_is_due(tcp, tcp->tap_retry_at_ms))
		tcp_tap_ready(tcp);
	if (tcp_is_due(tcp, tcp->give_back_at_ms)) {
		tcp_pool_give_back(&tcp->pool);
		tcp->give_back_at_ms = tcp->now_ms + TCP_GIVE_BACK_MS;
	}
}

void
tcp_end_turn(struct tcp *tcp)
{
	flow_table_reap(&tcp->flows);
}

uint32_t
tcp_wait_ms(const struct tcp *tcp)
{
	uint32_t wait_ms =
	    tcp_min(tcp_wheel_wait_ms(&tcp->wheel, tcp->now_ms), tcp_ack_wait_ms(tcp));

	if (!TAILQ_EMPTY(&tcp->ready) && !tcp->tap_stopped)
		return 0;
	if (tcp->tap_stopped)
		wait_ms = tcp_min(wait_ms,
		    tcp_is_due(tcp, tcp->tap_retry_at_ms)
			? 0
			: tcp->tap_retry_at_ms - tcp->now_ms);
	if (!TAILQ_EMPTY(&tcp->starved))
		wait_ms = can_feed(tcp, TAILQ_FIRST(&tcp->starved))
		    ? 0
		    : tcp_min(wait_ms, TCP_STARVED_LOOK_MS);
	if (tcp_pool_has_surplus(&tcp->pool))
		wait_ms = tcp_min(wait_ms, TCP_GIVE_BACK_MS);
	return tcp_min(wait_ms, SLEEP_MAX_MS);
}

bool
tcp_may_challenge(struct tcp *tcp, struct tcp_flow *flow)
{
	if (!tcp_is_due(tcp, flow->challenge_at_ms)) {
		tcp_count(tcp, TCP_COUNT_answers_held_back, 1);
		return false;
	}
	flow->challenge_at_ms = tcp->now_ms + TCP_CHALLENGE_MS;
	return true;
}

bool
tcp_may_reset(struct tcp *tcp)
{
	if (tcp->n_resets == TCP_RESETS_PER_S) {
		tcp_count(tcp, TCP_COUNT_answers_held_back, 1);
		return false;
	}
	tcp->n_resets++;
	return true;
}

const char *
tcp_end_str(enum tcp_end end)
{
	static const char *const texts[] = {
#define X(name, text) text,
		IPC_TCP_ENDS(X)
#undef X
	};

	return texts[end];
}
