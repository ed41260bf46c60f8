/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits for the worker's descriptors with epoll(7), and with poll(2) for some sockets.
 *
 * Theory of operation
 * The sockets of ping are in the poll set: there are few, and they come and go with each
 * ping(8). While the set has sockets, the wait is a poll(2) of the set, the TAP and the
 * epoll descriptor; epoll is asked only if its descriptor is readable. The TAP has to be in
 * the set: through epoll, each frame of the guest would cost a second call.
 *
 * Without sockets in the set, epoll alone is enough. The TAP moves into epoll when
 * another descriptor there is ready, not when the last socket of the set is closed:
 * otherwise each of several connections, one after another, would move it twice.
 */
#include "slirp-worker/poller.h"

#include <assert.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"

/* The first indexes of the poll set; the engines' sockets follow. */
enum {
	SET_TAP,
	SET_EPOLL,
	SET_N_OWN,
};

static_assert(POLLIN == EPOLLIN && POLLERR == EPOLLERR && POLLHUP == EPOLLHUP,
    "the events of poll(2) are those of epoll(7)");

/* A handle: index in the upper 32 bits, then 24 of the generation, then 8 of the kind. A
 * pointer could outlive its object, and a descriptor is used again after it is closed. */
#define HANDLE_KIND_BITS 8
#define HANDLE_KIND_MASK 0xffU
#define HANDLE_INDEX_SHIFT 32

static_assert(HANDLE_KIND_BITS + POLLER_GENERATION_BITS == HANDLE_INDEX_SHIFT,
    "the parts of a handle do not overlap");

static uint64_t
handle_make(enum poller_kind kind, uint32_t index, uint32_t generation)
{
	return (uint64_t)index << HANDLE_INDEX_SHIFT | generation << HANDLE_KIND_BITS |
	    kind;
}

static int
control(struct poller *poller, int operation, int fd, uint32_t events, uint64_t handle)
{
	struct epoll_event event = { .events = events, .data.u64 = handle };

	return epoll_ctl(poller->epoll_fd, operation, fd, &event);
}

int
poller_init(struct poller *poller)
{
	*poller = (struct poller){ .polls_tap = true };
	for (size_t i = 0; i < POLLER_N_PLACES; i++)
		poller->places[i] = (struct poller_place){ .fd = -1, .wanted = EPOLLIN };
	poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return poller->epoll_fd == -1 ? -1 : 0;
}

void
poller_free(struct poller *poller)
{
	close(take_fd(&poller->epoll_fd));
}

int
poller_add(struct poller *poller, int fd, enum poller_kind kind, uint32_t index,
    uint32_t generation)
{
	return control(poller, EPOLL_CTL_ADD, fd,
	    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	    handle_make(kind, index, generation));
}

int
poller_add_reader(struct poller *poller, int fd, enum poller_kind kind, uint32_t index,
    uint32_t generation)
{
	return control(poller, EPOLL_CTL_ADD, fd, EPOLLIN,
	    handle_make(kind, index, generation));
}

void
poller_remove(struct poller *poller, int fd)
{
	control(poller, EPOLL_CTL_DEL, fd, 0, 0);
}

/* The kernel adds EPOLLERR and EPOLLHUP to every registration. A place without events is
 * edge-triggered, so that one of these two ends one wait and not each of them. */
static uint32_t
registration(uint32_t events)
{
	return events ? events : EPOLLET;
}

static uint32_t
events_to_arm(const struct poller *poller, enum poller_kind kind)
{
	return kind == POLLER_TAP && poller->polls_tap ? 0 : poller->places[kind].wanted;
}

/* Tells epoll which events to wait for at a place, if that has changed. */
static void
arm(struct poller *poller, enum poller_kind kind)
{
	struct poller_place *place = &poller->places[kind];
	uint32_t events = events_to_arm(poller, kind);

	if (place->fd == -1 || place->armed == events)
		return;
	/* Cannot fail: a change needs no memory (fs/eventpoll.c, ep_modify). */
	control(poller, EPOLL_CTL_MOD, place->fd, registration(events),
	    handle_make(kind, 0, 0));
	place->armed = events;
}

int
poller_put(struct poller *poller, enum poller_kind kind, int fd)
{
	struct poller_place *place = &poller->places[kind];

	if (place->fd != -1)
		control(poller, EPOLL_CTL_DEL, place->fd, 0, 0);
	place->fd = -1;
	place->ready = 0;
	place->armed = events_to_arm(poller, kind);
	if (fd == -1)
		return 0;
	if (control(poller, EPOLL_CTL_ADD, fd, registration(place->armed),
		handle_make(kind, 0, 0)) == -1)
		return -1;
	place->fd = fd;
	return 0;
}

void
poller_expect(struct poller *poller, enum poller_kind kind, uint32_t events)
{
	poller->places[kind].wanted = events;
	arm(poller, kind);
}

void
poller_begin(const struct poller *poller, struct pollset *set)
{
	pollset_clear(set);
	pollset_add(set, poller->places[POLLER_TAP].fd, POLLIN);
	pollset_add(set, poller->epoll_fd, POLLIN);
}

static void
forget_events(struct poller *poller)
{
	for (size_t i = 0; i < POLLER_N_PLACES; i++)
		poller->places[i].ready = 0;
	poller->n_events = 0;
	poller->had_epoll_event = false;
}

static void
note_event(struct poller *poller, const struct epoll_event *event)
{
	uint64_t handle = event->data.u64;
	enum poller_kind kind = handle & HANDLE_KIND_MASK;

	if (kind != POLLER_TAP)
		poller->had_epoll_event = true;
	if (kind < POLLER_N_PLACES) {
		poller->places[kind].ready = event->events;
		return;
	}
	poller->events[poller->n_events++] = (struct poller_event){
		.kind = kind,
		.index = (uint32_t)(handle >> HANDLE_INDEX_SHIFT),
		.generation = (uint32_t)handle >> HANDLE_KIND_BITS,
		.events = event->events,
	};
}

static int
wait_with_epoll(struct poller *poller, int timeout_ms)
{
	struct epoll_event events[POLLER_EVENTS_MAX];
	int n;

	/* Not epoll_wait(2): musl makes epoll_pwait(2) of it, and arm64 has only that. With
	 * the same call everywhere, the policy needs one line. */
	/* cppcheck-suppress nullPointer ; no signal mask */
	n = epoll_pwait(poller->epoll_fd, events, POLLER_EVENTS_MAX, timeout_ms, NULL);
	for (int i = 0; i < n; i++)
		note_event(poller, &events[i]);
	return n;
}

static int
wait_with_poll(struct poller *poller, struct pollset *set, int timeout_ms)
{
	int n = pollset_wait(set, timeout_ms);

	if (n <= 0)
		return n;
	if (set->fds[SET_EPOLL].revents && wait_with_epoll(poller, 0) == -1)
		return -1;
	poller->places[POLLER_TAP].ready |= (uint32_t)set->fds[SET_TAP].revents;
	return n;
}

static int
wait_once(struct poller *poller, struct pollset *set, int timeout_ms)
{
	forget_events(poller);
	return poller->polls_tap ? wait_with_poll(poller, set, timeout_ms)
				 : wait_with_epoll(poller, timeout_ms);
}

/* The same algorithm as KVM's for an idle processor (Linux,
 * Documentation/virt/kvm/halt-polling.rst). */
int64_t
poller_next_spin(int64_t spin_ns, int64_t slept_ns)
{
	if (slept_ns > POLLER_SPIN_MAX_NS)
		return 0;
	return slept_ns > spin_ns ? slept_ns : spin_ns;
}

/* Looks again and again for poller->spin_ns. */
static int
spin(struct poller *poller, struct pollset *set)
{
	int64_t now_ns = poller->began_ns;
	int n = 0;

	while (n == 0 && now_ns - poller->began_ns < poller->spin_ns) {
		poller->found_at_once = now_ns == poller->began_ns;
		n = wait_once(poller, set, 0);
		now_ns = clock_now_ns();
	}
	return n;
}

/* A poll(2) of many sockets costs too much to be repeated. */
static bool
may_spin(const struct poller *poller, const struct pollset *set)
{
	return !poller->polls_tap || !pollset_is_large(set);
}

int
poller_look(struct poller *poller, struct pollset *set, int timeout_ms)
{
	if (set->n > SET_N_OWN)
		poller->polls_tap = true;
	else if (poller->had_epoll_event)
		poller->polls_tap = false;
	arm(poller, POLLER_TAP);
	poller->began_ns = clock_now_ns();
	poller->found_at_once = true;
	if (timeout_ms == 0)
		return wait_once(poller, set, 0);
	return may_spin(poller, set) ? spin(poller, set) : 0;
}

int
poller_sleep(struct poller *poller, struct pollset *set, int timeout_ms)
{
	int n = wait_once(poller, set, timeout_ms);

	if (!may_spin(poller, set))
		return n;
	poller->found_at_once = false;
	poller->spin_ns =
	    poller_next_spin(poller->spin_ns, clock_now_ns() - poller->began_ns);
	return n;
}
