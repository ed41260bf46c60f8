#include "slirp-worker/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <libslirp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "slirp-worker/address.h"

/* The newest version of SlirpConfig and SlirpCb whose fields are all filled in here. */
#define CONFIG_VERSION_KNOWN 6
#if SLIRP_CONFIG_VERSION_MAX < CONFIG_VERSION_KNOWN
#define CONFIG_VERSION SLIRP_CONFIG_VERSION_MAX
#else
#define CONFIG_VERSION CONFIG_VERSION_KNOWN
#endif

/* Since configuration version 6, libslirp 4.9: sockets have a type of their own. */
#define HAVE_SOCKET_API (SLIRP_CONFIG_VERSION_MAX >= 6)

/*
 * libslirp's own name for this is private (IF_MTU_MAX, src/if.h). It drops IPv6 packets
 * that are longer than its if_mtu, and cuts IPv4 ones, but has no way to cut IPv6 ones.
 * So it gets the largest if_mtu that there is, and datagrams for the guest are cut by
 * frag.c, for both families. TCP does not suffer: the maximum segment size follows the
 * smaller of if_mtu and if_mru (src/tcp_input.c, tcp_mss), and if_mru is TCP's alone.
 */
#define STACK_IF_MTU 65521

/* libslirp refuses less (IF_MRU_MIN, src/if.h), as does the kernel for the interface. */
#define STACK_IF_MRU_MIN 68

/* What libslirp answers for "no timer runs" (src/slirp.c, slirp_update_timeout); those
 * that run ask for less than half of it. */
#define STACK_NOTHING_TO_DO_MS 1000

/*
 * libslirp counts milliseconds in 32 bits, and in the last four minutes before these run over
 * every UDP socket has expired as soon as it is made (src/udp.c, so_expire). So its time is
 * that of the worker's life, of which few last 49.7 days, and not the machine's. It begins
 * with more than anything in it lasts: 0, which it takes for never, is long ago.
 */
#define STACK_CLOCK_START_NS (INT64_C(300) * CLOCK_MS_PER_S * CLOCK_NS_PER_MS)

/* The only length that stateless autoconfiguration works with. */
#define PREFIX6_LEN 64

/* Sockets are told apart by their numbers up to here; none is higher, as the pollset
 * holds no more and the limit on open files is the same. */
#define FD_KNOWN_MAX 65536

/* Descriptors for what gets no answer from us when they run out: resolv.conf, which is
 * read for every question about a name, UDP and pings. */
#define STACK_RESERVE 32

/* A timer of the kind that libslirp knows by number. */
struct numbered_timer {
	struct stack *stack;
	void *cb_opaque;
	SlirpTimerId id;
	struct timer *timer; /* NULL: this one is free */
};

struct stack {
	Slirp *slirp;
	struct stack_host host;
	struct numbered_timer numbered[SLIRP_TIMER_NUM];
	const struct pollset *set; /* between prepare_wait and finish_wait */
	struct pollset *filling;
	struct stack_sockets sockets;
	uint8_t proto_of_fd[FD_KNOWN_MAX]; /* IPPROTO_...; 0: not counted */
	bool opening_port;                 /* in slirp_add_hostxfwd */
	/* libslirp reads them at each new socket. */
	struct sockaddr_in outbound4;
	struct sockaddr_in6 outbound6;
	int64_t now_ns;
	int64_t epoch_ns; /* where libslirp's time begins */
	bool allow_host_loopback;
	bool was_near_full; /* a descriptor of the reserve has been given out */
	bool accepts_none;  /* for the wait that is being prepared */
};

static ssize_t
on_send_packet(const void *buf, size_t len, void *opaque)
{
	struct stack *stack = opaque;

	stack->host.to_guest(stack->host.ctx, buf, len);
	return (ssize_t)len;
}

static void
on_guest_error(const char *msg, void *opaque)
{
	struct stack *stack = opaque;

	stack->host.complain(stack->host.ctx, msg);
}

static int64_t
on_clock_get_ns(void *opaque)
{
	const struct stack *stack = opaque;

	return stack->now_ns - stack->epoch_ns;
}

static void *
on_timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
	struct stack *stack = opaque;

	return timers_add(stack->host.timers, cb, cb_opaque);
}

static void
fire_numbered(void *ctx)
{
	struct numbered_timer *numbered = ctx;

	slirp_handle_timer(numbered->stack->slirp, numbered->id, numbered->cb_opaque);
}

static void *
on_timer_new_opaque(SlirpTimerId id, void *cb_opaque, void *opaque)
{
	struct stack *stack = opaque;
	struct numbered_timer *numbered;

	if (id >= SLIRP_TIMER_NUM || stack->numbered[id].timer)
		return NULL;
	numbered = &stack->numbered[id];
	*numbered =
	    (struct numbered_timer){ .stack = stack, .cb_opaque = cb_opaque, .id = id };
	numbered->timer = timers_add(stack->host.timers, fire_numbered, numbered);
	return numbered->timer;
}

static void
on_timer_free(void *timer, void *opaque)
{
	struct stack *stack = opaque;

	if (!timer)
		return;
	for (size_t i = 0; i < SLIRP_TIMER_NUM; i++)
		if (stack->numbered[i].timer == timer)
			stack->numbered[i].timer = NULL;
	timer_remove(timer);
}

static void
on_timer_mod(void *timer, int64_t expire_time_ms, void *opaque)
{
	const struct stack *stack = opaque;

	if (timer)
		timer_set(timer, expire_time_ms + stack->epoch_ns / CLOCK_NS_PER_MS);
}

static uint32_t *
counter_of(struct stack *stack, uint8_t proto)
{
	return proto == IPPROTO_TCP ? &stack->sockets.n_tcp : &stack->sockets.n_udp;
}

/* The lowest number from `from` on that is free, and so the one that the next descriptor
 * gets (open(2)). -1 with errno set if there is none. */
static int
next_fd(int from)
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
		fd = next_fd(fd + 1);
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
static void
keep_groups_off_the_host(const struct stack *stack, int fd)
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
static void
never_wait_for(int fd)
{
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
}

/* Called for sockets that were never counted, too: those that could not be opened, and
 * forwarded ports. */
static void
on_unregister_fd(int fd, void *opaque)
{
	struct stack *stack = opaque;

	if (fd < 0 || fd >= FD_KNOWN_MAX || stack->proto_of_fd[fd] == 0)
		return;
	--*counter_of(stack, stack->proto_of_fd[fd]);
	stack->proto_of_fd[fd] = 0;
}

/*
 * Called for every new socket of the guest's or of a peer's, before it is used. Libraries
 * differ about forwarded ports: 4.7 does not tell of their sockets, 4.9 does. They are
 * the caller's to count, and tune_port sees to the rest of it.
 */
static void
on_register_fd(int fd, void *opaque)
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
	never_wait_for(fd);
	keep_groups_off_the_host(stack, fd);
}

/* libslirp is never called from another thread, so nobody needs to be woken. */
static void
on_notify(void *opaque)
{
	(void)opaque;
}

/* From inside slirp_new, which may set timers before it returns. */
static void
on_init_completed(Slirp *slirp, void *opaque)
{
	struct stack *stack = opaque;

	stack->slirp = slirp;
}

void
stack_set_time(struct stack *stack, int64_t now_ns)
{
	stack->now_ns = now_ns;
}

static const SlirpCb callbacks = {
	.send_packet = on_send_packet,
	.guest_error = on_guest_error,
	.clock_get_ns = on_clock_get_ns,
	.timer_new = on_timer_new,
	.timer_free = on_timer_free,
	.timer_mod = on_timer_mod,
	.notify = on_notify,
	.init_completed = on_init_completed,
	.timer_new_opaque = on_timer_new_opaque,
#if HAVE_SOCKET_API
	.register_poll_socket = on_register_fd,
	.unregister_poll_socket = on_unregister_fd,
#else
	.register_poll_fd = on_register_fd,
	.unregister_poll_fd = on_unregister_fd,
#endif
};

/* What glib and, through it, libslirp would print, an assertion's text included. */
static void
on_glib_log(const char *domain, GLogLevelFlags level, const char *text, gpointer ctx)
{
	struct stack *stack = ctx;

	(void)domain;
	(void)level;
	stack->host.complain(stack->host.ctx, text);
}

/* g_set_printerr_handler has no context; there is one stack in a worker. */
static struct stack *printing_stack;

static void
on_glib_printerr(const char *text)
{
	if (printing_stack)
		printing_stack->host.complain(printing_stack->host.ctx, text);
}

static struct in6_addr
to_in6(const uint8_t bytes[IPC_ADDR6_LEN])
{
	struct in6_addr addr = IN6ADDR_ANY_INIT;

	memcpy(addr.s6_addr, bytes, IPC_ADDR6_LEN);
	return addr;
}

void
stack_set_outbound(struct stack *stack, const struct ipc_outbound *outbound)
{
	stack->outbound4 = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = outbound->addr4_be,
	};
	stack->outbound6 = (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_addr = to_in6(outbound->addr6),
	};
}

struct stack *
stack_new(const struct ipc_network *network, const struct ipc_outbound *outbound,
    uint32_t tcp_mtu_bytes, const struct stack_host *host)
{
	struct stack *stack = g_new0(struct stack, 1);
	SlirpConfig config = {
		.version = CONFIG_VERSION,
		.in_enabled = true,
		.vnetwork.s_addr = network->network_be,
		.vnetmask.s_addr = network->netmask_be,
		.vhost.s_addr = network->host_be,
		.in6_enabled = network->enable_ipv6,
		.vprefix_addr6 = to_in6(network->prefix6),
		.vprefix_len = PREFIX6_LEN,
		.vhost6 = to_in6(network->host6),
		.vdhcp_start.s_addr = network->dhcp_start_be,
		.vnameserver.s_addr = network->nameserver_be,
		.vnameserver6 = to_in6(network->nameserver6),
		.if_mtu = STACK_IF_MTU,
		.if_mru = MAX(tcp_mtu_bytes, STACK_IF_MRU_MIN),
		/* The gate is what closes the host's loopback. This switch would also cut
		 * off the guest's UDP answers to a peer that is there. */
		.disable_host_loopback = false,
		.enable_emu = false,
		.outbound_addr = outbound->has_addr4 ? &stack->outbound4 : NULL,
		.outbound_addr6 = outbound->has_addr6 ? &stack->outbound6 : NULL,
		.disable_dns = !network->enable_dns,
	};

	/* glib would convert messages from the locale's character set, and look for
	 * tables of conversions in files that the jail does not have. */
	g_setenv("CHARSET", "UTF-8", TRUE);
	(void)g_strerror(EHOSTUNREACH);
	stack->host = *host;
	stack->now_ns = clock_now_ns();
	stack->epoch_ns = stack->now_ns - STACK_CLOCK_START_NS;
	stack_set_outbound(stack, outbound);
	stack->allow_host_loopback = network->allow_host_loopback;
	printing_stack = stack;
	g_log_set_default_handler(on_glib_log, stack);
	g_set_printerr_handler(on_glib_printerr);
	g_set_print_handler(on_glib_printerr);
	stack->slirp = slirp_new(&config, &callbacks, stack);
	if (!stack->slirp)
		stack_free(g_steal_pointer(&stack));
	return stack;
}

void
stack_free(struct stack *stack)
{
	if (stack->slirp)
		slirp_cleanup(stack->slirp);
	g_log_set_default_handler(g_log_default_handler, NULL);
	g_set_printerr_handler(NULL);
	g_set_print_handler(NULL);
	printing_stack = NULL;
	g_free(stack);
}

void
stack_input(struct stack *stack, const uint8_t *frame, size_t frame_len)
{
	slirp_input(stack->slirp, frame, (int)frame_len);
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

/* An IPv6 port takes IPv6 alone, whatever net.ipv6.bindv6only says: libslirp would hand
 * IPv4 peers to the guest as ::ffff:a.b.c.d. */
static int
flags_of(uint8_t proto, const struct sockaddr *host)
{
	return (proto == IPPROTO_UDP ? SLIRP_HOSTFWD_UDP : 0) |
	    (host->sa_family == AF_INET6 ? SLIRP_HOSTFWD_V6ONLY : 0);
}

/* What libslirp leaves to be desired in the socket of a port, which it tells nobody. */
static void
tune_port(const struct stack *stack, uint8_t proto, int fd, const struct sockaddr *host)
{
	const int no = 0;
	union address bound;
	socklen_t len = sizeof(bound);

	/* Were it another descriptor, which no libslirp so far has made of it, the port
	 * would work all the same. */
	if (getsockname(fd, &bound.any, &len) == -1 || len != address_len(host) ||
	    memcmp(&bound, host, len) != 0)
		return;
	if (proto == IPPROTO_TCP) {
		/* libslirp asks for 1. listen(2) on a socket that listens changes it. */
		listen(fd, STACK_LISTEN_BACKLOG);
		return;
	}
	/* socket(7): with it, which libslirp sets after its own bind, any other user's
	 * socket that sets it too could be bound to the same port, and get what comes. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &no, sizeof(no));
	never_wait_for(fd);
	keep_groups_off_the_host(stack, fd);
}

int
stack_port_open(struct stack *stack, uint8_t proto, const struct sockaddr *host,
    const struct sockaddr *guest)
{
	int fd = next_fd(0);
	int outcome;

	if (fd == -1)
		return -1;
	stack->opening_port = true;
	outcome = slirp_add_hostxfwd(stack->slirp, host, address_len(host), guest,
	    address_len(guest), flags_of(proto, host));
	stack->opening_port = false;
	if (outcome == -1)
		return -1;
	tune_port(stack, proto, fd, host);
	return 0;
}

void
stack_port_close(struct stack *stack, uint8_t proto, const struct sockaddr *host)
{
	/* Fails for ports that are not there, and then they are not there. */
	slirp_remove_hostxfwd(stack->slirp, host, address_len(host),
	    flags_of(proto, host));
}

const struct stack_sockets *
stack_sockets(const struct stack *stack)
{
	return &stack->sockets;
}

void
stack_describe(struct stack *stack, void (*take)(void *ctx, const char *line), void *ctx)
{
	g_autofree char *text = slirp_connection_info(stack->slirp);
	char *line = text;

	while (*line != '\0') {
		char *end = strchrnul(line, '\n');
		bool is_last = *end == '\0';

		*end = '\0';
		take(ctx, line);
		line = is_last ? end : end + 1;
	}
}

const char *
stack_library_version(void)
{
	return slirp_version_string();
}

uint32_t
stack_config_version_max(void)
{
	return SLIRP_CONFIG_VERSION_MAX;
}
