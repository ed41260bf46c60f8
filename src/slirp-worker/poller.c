/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits for the worker's descriptors with epoll(7). */
#include "slirp-worker/poller.h"

#include <assert.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"

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
	*poller = (struct poller){ 0 };
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

int
poller_put(struct poller *poller, enum poller_kind kind, int fd)
{
	struct poller_place *place = &poller->places[kind];

	if (place->fd != -1)
		control(poller, EPOLL_CTL_DEL, place->fd, 0, 0);
	place->fd = -1;
	place->ready = 0;
	if (fd == -1)
		return 0;
	if (control(poller, EPOLL_CTL_ADD, fd, registration(place->wanted),
		handle_make(kind, 0, 0)) == -1)
		return -1;
	place->fd = fd;
	return 0;
}

void
poller_expect(struct poller *poller, enum poller_kind kind, uint32_t events)
{
	struct poller_place *place = &poller->places[kind];

	if (place->wanted == events)
		return;
	place->wanted = events;
	/* Cannot fail: a change needs no memory (fs/eventpoll.c, ep_modify). */
	if (place->fd != -1)
		control(poller, EPOLL_CTL_MOD, place->fd, registration(events),
		    handle_make(kind, 0, 0));
}

static void
forget_events(struct poller *poller)
{
	for (size_t i = 0; i < POLLER_N_PLACES; i++)
		poller->places[i].ready = 0;
	poller->n_events = 0;
}

static void
note_event(struct poller *poller, const struct epoll_event *event)
{
	uint64_t handle = event->data.u64;
	enum poller_kind kind = handle & HANDLE_KIND_MASK;

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
wait_once(struct poller *poller, int timeout_ms)
{
	struct epoll_event events[POLLER_EVENTS_MAX];
	int n;

	forget_events(poller);
	/* Not epoll_wait(2): musl makes epoll_pwait(2) of it, and arm64 has only that. With
	 * the same call everywhere, the policy needs one line. */
	/* cppcheck-suppress nullPointer ; no signal mask */
	n = epoll_pwait(poller->epoll_fd, events, POLLER_EVENTS_MAX, timeout_ms, NULL);
	for (int i = 0; i < n; i++)
		note_event(poller, &events[i]);
	return n;
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
spin(struct poller *poller)
{
	int64_t now_ns = poller->began_ns;
	int n = 0;

	while (n == 0 && now_ns - poller->began_ns < poller->spin_ns) {
		poller->found_at_once = now_ns == poller->began_ns;
		n = wait_once(poller, 0);
		now_ns = clock_now_ns();
	}
	return n;
}

int
poller_look(struct poller *poller, int timeout_ms)
{
	poller->began_ns = clock_now_ns();
	poller->found_at_once = true;
	return timeout_ms == 0 ? wait_once(poller, 0) : spin(poller);
}

int
poller_sleep(struct poller *poller, int timeout_ms)
{
	int n = wait_once(poller, timeout_ms);

	poller->found_at_once = false;
	poller->spin_ns =
	    poller_next_spin(poller->spin_ns, clock_now_ns() - poller->began_ns);
	return n;
}
