#include "slirp-worker/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "slirp-worker/stack_state.h"

/* What libslirp answers for "no timer runs" (src/slirp.c, slirp_update_timeout); those
 * that run ask for less than half of it. */
#define STACK_NOTHING_TO_DO_MS 1000

/* Descriptors for what gets no answer from us when they run out: resolv.conf, which is
 * read for every question about a name, UDP and pings. */
#define STACK_RESERVE 32

static uint32_t *
counter_of(struct stack *stack, uint8_t proto)
{
	return proto == IPPROTO_TCP ? &stack->sockets.n_tcp : &stack->sockets.n_udp;
}

int
stack_next_fd(int from)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, from);

	if (fd != -1)
		close(fd);
	/* cppcheck-suppress deallocret ; it is the number that is wanted */
	return fd;
}

static bool
is_of_reserve(const struct stack *stack, int fd)
{
	return (size_t)fd + STACK_RESERVE >= stack->host.n_descriptors;
}

bool
stack_is_full(const struct stack *stack)
{
	/* Until it has happened once, it is not worth asking. */
	if (!stack->was_near_full)
		return false;
	return !stack_has_room(stack, 1);
}

bool
stack_has_room(const struct stack *stack, size_t n_descriptors)
{
	int fd = -1;

	while (n_descriptors-- > 0) {
		fd = stack_next_fd(fd + 1);
		if (fd == -1 || is_of_reserve(stack, fd))
			return false;
	}
	return true;
}

/*
 * ip(7): what a socket sends to a multicast group is also delivered to the members on the
 * sending host. A guest that may not reach the host's loopback must not reach its
 * services that way either; the datagrams themselves go out.
 */
void
stack_keep_groups_off_the_host(const struct stack *stack, int fd)
{
	const int no = 0;

	if (stack->allow_host_loopback)
		return;
	/* One of the two is of the other family, and may fail. */
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &no, sizeof(no));
	setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &no, sizeof(no));
}

/*
 * libslirp 4.7 leaves its UDP sockets blocking. While the send buffer of one is full, because
 * the way out is slower than the guest, a send would stop the worker, and with it all that
 * others send. Now the datagram is lost, as on a full link, and the guest is told "unreachable",
 * which Linux does not take for the end of a connection.
 */
void
stack_never_wait_for(int fd)
{
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
}

/* Called for sockets that were never counted, too: those that could not be opened, and
 * forwarded ports. */
void
stack_on_unregister_fd(int fd, void *opaque)
{
	struct stack *stack = opaque;

	if (fd < 0 || fd >= FD_KNOWN_MAX || stack->proto_of_fd[fd] == 0)
		return;
	if (stack->proto_of_fd[fd] == IPPROTO_TCP)
		stack->host.tcp_socket_ends(stack->host.ctx, fd);
	--*counter_of(stack, stack->proto_of_fd[fd]);
	stack->proto_of_fd[fd] = 0;
}

/*
 * Called for every new socket of the guest's or of a peer's, before it is used. Libraries
 * differ about forwarded ports: 4.7 does not tell of their sockets, 4.9 does. They are
 * the caller's to count, and tune_port sees to the rest of it.
 */
void
stack_on_register_fd(int fd, void *opaque)
{
	struct stack *stack = opaque;
	int proto = 0;
	socklen_t len = sizeof(proto);

	if (is_of_reserve(stack, fd))
		stack->was_near_full = true;
	if (stack->opening_port || fd < 0 || fd >= FD_KNOWN_MAX ||
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &len) == -1)
		return;
	stack->proto_of_fd[fd] = (uint8_t)proto;
	++*counter_of(stack, (uint8_t)proto);
	if (proto == IPPROTO_TCP) {
		stack->host.tcp_socket_made(stack->host.ctx, fd);
		return;
	}
	stack_never_wait_for(fd);
	stack_keep_groups_off_the_host(stack, fd);
}

const struct stack_sockets *
stack_sockets(const struct stack *stack)
{
	return &stack->sockets;
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

/* Whether a socket waits for connections of forwarded ports. */
static bool
accepts(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0 && value != 0;
}

static int
on_add_poll(int fd, int slirp_events, void *opaque)
{
	struct stack *stack = opaque;
	short events = 0;
	int index;

	/* One that can't be accepted would be ready again at once, for ever. The peers
	 * wait until others end. */
	if (stack->accepts_none && accepts(fd))
		return -1;
	for (size_t i = 0; i < G_N_ELEMENTS(event_names); i++)
		if (slirp_events & event_names[i].slirp)
			events |= event_names[i].poll;
	index = pollset_add(stack->filling, fd, events);
	/* libslirp takes -1 for "not watched this time". */
	if (index == -1)
		stack->host.socket_not_polled(stack->host.ctx);
	return index;
}

/*
 * Whether libslirp would find a datagram. Of a non-blocking UDP socket poll(2) also says so
 * when all that has come has a wrong checksum (udp_poll() in the kernel's net/ipv4/udp.c),
 * which goes away when it is looked at. libslirp would find nothing and tell the guest that
 * nobody listens at the port that it has sent to last.
 */
static bool
has_datagram(int fd)
{
	char byte;

	return recv(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) != -1 ||
	    errno != EAGAIN;
}

static int
on_get_revents(int index, void *opaque)
{
	struct stack *stack = opaque;
	const struct pollfd *fd = &stack->set->fds[index];
	short events = fd->revents;
	int slirp_events = 0;

	/*
	 * poll(2) tells of errors and hang-ups whether asked or not, and libslirp reads
	 * from a socket when it hears of one. It must not where it did not ask to read:
	 * from a socket that is still connecting it would take the error away, and the
	 * guest would never hear of the failure (src/slirp.c, SS_ISFCONNECTING); and
	 * with a full buffer it ends in an assertion (src/socket.c, soread). Its own
	 * next write meets the same error, and answers the guest.
	 */
	if (!(fd->events & POLLIN))
		events = events ? POLLOUT : 0;

	if (events == POLLIN && fd->fd < FD_KNOWN_MAX &&
	    stack->proto_of_fd[fd->fd] != IPPROTO_TCP && !has_datagram(fd->fd))
		return 0;

	for (size_t i = 0; i < G_N_ELEMENTS(event_names); i++)
		if (events & event_names[i].poll)
			slirp_events |= event_names[i].slirp;
	return slirp_events;
}

void
stack_prepare_wait(struct stack *stack, struct pollset *set, uint32_t *timeout_ms)
{
	uint32_t wanted_ms = UINT32_MAX;

	stack->filling = set;
	stack->accepts_none = stack_is_full(stack);
#if HAVE_SOCKET_API
	slirp_pollfds_fill_socket(stack->slirp, &wanted_ms, on_add_poll, stack);
#else
	slirp_pollfds_fill(stack->slirp, &wanted_ms, on_add_poll, stack);
#endif
	if (wanted_ms < STACK_NOTHING_TO_DO_MS && wanted_ms < *timeout_ms)
		*timeout_ms = wanted_ms;
}

void
stack_finish_wait(struct stack *stack, const struct pollset *set, bool wait_failed)
{
	stack->set = set;
	slirp_pollfds_poll(stack->slirp, wait_failed, on_get_revents, stack);
}

void
stack_go_on(struct stack *stack)
{
	/* Told that the wait has failed, libslirp looks at no socket. */
	slirp_pollfds_poll(stack->slirp, true, on_get_revents, stack);
}
