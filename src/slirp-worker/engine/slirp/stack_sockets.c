/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts and limits libslirp's sockets, and waits for them. */
#include "slirp-worker/engine/slirp/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "base/inaddr.h"
#include "slirp-worker/engine/slirp/stack_state.h"

/* libslirp's timeout if no timer runs (src/slirp.c, slirp_update_timeout); a timer asks
 * for less than half of it. */
#define STACK_NOTHING_TO_DO_MS 1000

/* The buffers of fewer sockets need at most 2 MiB. */
#define RETURN_MEMORY_SOCKETS 32

static enum budget_kind
budget_of(enum udp_kind kind)
{
	return kind == UDP_DNS ? BUDGET_DNS : BUDGET_UDP;
}

bool
stack_admit_udp(struct stack *stack, const struct flow_key *guest, bool is_dns)
{
	struct budget *budget = stack->host.budget;
	struct slirp_udp_flow *flow = udp_flows_find(&stack->udp, guest);
	enum udp_kind kind =
	    is_dns && budget_has_room(budget, BUDGET_DNS, 1) ? UDP_DNS : UDP_FLOW;

	if (flow && (flow->kind != UDP_DNS || is_dns))
		return true;
	if (!budget_has_room(budget, budget_of(kind), 1))
		return false;
	if (flow) {
		/* The flow now also has another destination. */
		budget_give(budget, budget_of(flow->kind), 1);
		budget_take(budget, budget_of(kind), 1);
		flow->kind = kind;
		return true;
	}
	stack->admitted_end = *guest;
	stack->admitted_kind = kind;
	return true;
}

static void
add_flow(struct stack *stack, int fd)
{
	/* libslirp makes a socket only for a datagram; any other would be counted too. */
	enum udp_kind kind =
	    stack->admitted_kind == UDP_NONE ? UDP_FLOW : stack->admitted_kind;

	udp_flows_add(&stack->udp, fd, &stack->admitted_end, kind);
	budget_take(stack->host.budget, budget_of(kind), 1);
	stack->n_sockets++;
}

/* Also called for ports, which are not counted here. */
static void
remove_flow(struct stack *stack, int fd)
{
	enum udp_kind kind = stack->udp.by_fd[fd].kind;

	if (kind == UDP_PORT)
		stack->host.udp_port_ends(stack->host.ctx, fd);
	if (kind == UDP_FLOW || kind == UDP_DNS) {
		budget_give(stack->host.budget, budget_of(kind), 1);
		stack->n_sockets--;
	}
	udp_flows_remove(&stack->udp, fd);
}

/* ip(7): the sending host's members of a multicast group also receive a socket's
 * datagrams. If the host's loopback is closed, a guest must not reach the host's services
 * in this way; the datagrams still go out. */
void
stack_keep_groups_off_the_host(const struct stack *stack, int fd)
{
	const int no = 0;

	if (stack->network.allow_host_loopback)
		return;
	/* One of the two is for the other family, and fails. */
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &no, sizeof(no));
	setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &no, sizeof(no));
}

/* libslirp 4.7 leaves its UDP sockets blocking. If a send buffer is full because the link
 * is slower than the guest, a send would block the worker. If it does not block, the
 * datagram is lost, as on a full link. libslirp then sends "unreachable" to the guest;
 * Linux does not end a connection because of it. */
void
stack_never_wait_for(int fd)
{
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
}

/* libslirp calls this also for sockets that were never counted: sockets that failed to
 * open, and forwarded ports. */
void
stack_on_unregister_fd(int fd, void *opaque)
{
	if (fd >= 0 && fd < BUDGET_FILES_MAX)
		remove_flow(opaque, fd);
}

/* libslirp calls this for every new socket of the guest, before it uses the socket. 4.9
 * calls it for forwarded ports too, 4.7 does not; the caller counts these, and tune_port()
 * sets their options. */
void
stack_on_register_fd(int fd, void *opaque)
{
	struct stack *stack = opaque;

	if (stack->opening_port || fd < 0 || fd >= BUDGET_FILES_MAX)
		return;
	add_flow(stack, fd);
	stack_never_wait_for(fd);
	stack_keep_groups_off_the_host(stack, fd);
}

uint32_t
stack_n_sockets(const struct stack *stack)
{
	return stack->n_sockets;
}

static const struct {
	int slirp;
	short poll;
} event_names[] = {
	{ SLIRP_POLL_IN, POLLIN },
	{ SLIRP_POLL_OUT, POLLOUT },
	{ SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR },
	{ SLIRP_POLL_HUP, POLLHUP },
};

static int
on_add_poll(int fd, int slirp_events, void *opaque)
{
	struct stack *stack = opaque;
	short events = 0;
	int index;

	for (size_t i = 0; i < G_N_ELEMENTS(event_names); i++)
		if (slirp_events & event_names[i].slirp)
			events |= event_names[i].poll;
	index = pollset_add(stack->filling, fd, events);
	/* libslirp takes -1 for "not polled". */
	if (index == -1)
		stack->host.socket_not_polled(stack->host.ctx);
	return index;
}

static bool
is_loopback(const union inaddr_sock *peer)
{
	/* Only this: libslirp sends UDP to the gateway to no other address. */
	const struct inaddr loopback = inaddr_loopback(peer->any.sa_family == AF_INET6);
	struct inaddr addr;

	return inaddr_from_sockaddr(&addr, &peer->any) &&
	    inaddr_is_equal(&addr, &loopback);
}

/*
 * Whether libslirp would find a datagram; libslirp reads it next, so its sender is
 * recorded here. poll(2) also reports a non-blocking UDP socket that has only datagrams
 * with a wrong checksum (udp_poll() in the kernel's net/ipv4/udp.c); a read discards
 * them. libslirp would find none, and tell the guest that nobody listens at its last
 * destination.
 */
static bool
has_datagram(const struct stack *stack, int fd)
{
	const struct slirp_udp_flow *flow = &stack->udp.by_fd[fd];
	union inaddr_sock peer = { 0 };
	socklen_t len = sizeof(peer);
	char byte;

	if (recvfrom(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT, &peer.any, &len) ==
	    -1)
		return errno != EAGAIN;
	if (!stack->network.allow_host_loopback && flow->kind == UDP_PORT &&
	    is_loopback(&peer))
		stack->host.udp_peer_on_loopback(stack->host.ctx, fd, &flow->end,
		    inaddr_sock_port(&peer));
	return true;
}

static int
on_get_revents(int index, void *opaque)
{
	struct stack *stack = opaque;
	const struct pollfd *fd = &stack->set->fds[index];
	short events = fd->revents;
	int slirp_events = 0;

	if (events == POLLIN && stack->udp.by_fd[fd->fd].kind != UDP_NONE &&
	    !has_datagram(stack, fd->fd))
		return 0;
	for (size_t i = 0; i < G_N_ELEMENTS(event_names); i++)
		if (events & event_names[i].poll)
			slirp_events |= event_names[i].slirp;
	return slirp_events;
}

uint64_t
stack_prepare(void *self, struct pollset *set, uint64_t now_ms)
{
	struct stack *stack = self;
	uint32_t wanted_ms = UINT32_MAX;

	stack->filling = set;
#if HAVE_SOCKET_API
	slirp_pollfds_fill_socket(stack->slirp, &wanted_ms, on_add_poll, stack);
#else
	slirp_pollfds_fill(stack->slirp, &wanted_ms, on_add_poll, stack);
#endif
	return wanted_ms < STACK_NOTHING_TO_DO_MS ? now_ms + wanted_ms : DEADLINE_NONE;
}

/*
 * Returns the buffers of ended flows to the kernel: free(3) keeps them if a block above
 * them is in use. The walk over the heap takes time, so it is done once each time that
 * half of the sockets have ended.
 */
static void
return_memory(struct stack *stack)
{
	uint32_t n = stack->n_sockets;

	if (n > stack->n_sockets_high)
		stack->n_sockets_high = n;
	if (stack->n_sockets_high < RETURN_MEMORY_SOCKETS ||
	    n > stack->n_sockets_high / 2)
		return;
	malloc_trim(0);
	stack->n_sockets_high = n;
}

void
stack_finish(void *self, const struct pollset *set, bool wait_failed, uint64_t now_ms)
{
	struct stack *stack = self;

	(void)now_ms;
	stack->set = set;
	slirp_pollfds_poll(stack->slirp, wait_failed, on_get_revents, stack);
	return_memory(stack);
}

void
stack_go_on(struct stack *stack)
{
	/* libslirp looks at no socket if it is told that the wait failed. */
	slirp_pollfds_poll(stack->slirp, true, on_get_revents, stack);
}
