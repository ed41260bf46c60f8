/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs libslirp: configuration, time, timers, frames and messages. */
#include "slirp-worker/engine/link/stack.h"

#include <errno.h>
#include <glib.h>
#include <libslirp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "slirp-worker/engine/link/dhcp_reply.h"
#include "slirp-worker/tap/tapio.h"

/* The newest version of SlirpConfig and SlirpCb whose fields stack.c fills in. */
#define CONFIG_VERSION_KNOWN 6
#if SLIRP_CONFIG_VERSION_MAX < CONFIG_VERSION_KNOWN
#define CONFIG_VERSION SLIRP_CONFIG_VERSION_MAX
#else
#define CONFIG_VERSION CONFIG_VERSION_KNOWN
#endif

/*
 * libslirp's own constant is private (IF_MTU_MAX, src/if.h). libslirp fragments IPv4
 * packets that exceed its if_mtu, but drops IPv6 packets. So it gets the largest if_mtu,
 * and frag.c fragments datagrams of both families.
 */
#define STACK_IF_MTU 65521

#define STACK_IF_MRU 68

/* libslirp counts milliseconds in 32 bits, and compares them as if they never wrapped. So
 * libslirp's time starts
 * with the worker, not with the machine: few workers run for 49.7 days. It starts with
 * more than libslirp's longest timeout, because libslirp takes 0 for "never". */
#define STACK_CLOCK_START_NS (INT64_C(300) * CLOCK_MS_PER_S * CLOCK_NS_PER_MS)

/* Stateless autoconfiguration works only with this length. */
#define PREFIX6_LEN 64

/* libslirp's timeout if no timer runs (src/slirp.c, slirp_update_timeout); a timer asks
 * for less than half of it. */
#define STACK_NOTHING_TO_DO_MS 1000

/* Configuration version 6, of libslirp 4.9, added a type for sockets. */
#define HAVE_SOCKET_API (SLIRP_CONFIG_VERSION_MAX >= 6)

/* A timer that libslirp names by a number. */
struct numbered_timer {
	struct stack *stack;
	void *cb_opaque;
	SlirpTimerId id;
	struct timer *timer; /* NULL: free */
};

struct stack {
	Slirp *slirp;
	struct stack_host host;
	struct numbered_timer numbered[SLIRP_TIMER_NUM];
	int64_t now_ns;
	int64_t epoch_ns; /* start of libslirp's time */
};

static void
to_guest(struct stack *stack, const uint8_t *frame, size_t frame_len)
{
	/* Static, to keep the stack small; libslirp is not called recursively. */
	static uint8_t copy[TAPIO_FRAME_MAX + DHCP_REPLY_GROWTH_MAX];
	const struct gate_dhcp *dhcp = stack->host.dhcp;

	if (frame_len <= TAPIO_FRAME_MAX && dhcp_reply_is_one(dhcp, frame, frame_len)) {
		memcpy(copy, frame, frame_len);
		frame_len = dhcp_reply_rewrite(dhcp, copy, frame_len);
		frame = copy;
	}
	stack->host.to_guest(stack->host.ctx, frame, frame_len);
}

static ssize_t
on_send_packet(const void *buf, size_t len, void *opaque)
{
	to_guest(opaque, buf, len);
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
		timer_set(timer,
		    (uint64_t)(expire_time_ms + stack->epoch_ns / CLOCK_NS_PER_MS));
}

/* Only one thread calls libslirp, so nothing has to be woken. */
static void
on_notify(void *opaque)
{
	(void)opaque;
}

/* libslirp calls this in slirp_new(), which may set timers before it returns. */
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

/* libslirp has no socket. */
static void
on_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static int
on_add_poll(int fd, int events, void *opaque)
{
	(void)fd;
	(void)events;
	(void)opaque;
	return -1; /* not polled */
}

static int
on_get_revents(int index, void *opaque)
{
	(void)index;
	(void)opaque;
	return 0;
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
	.register_poll_socket = on_fd,
	.unregister_poll_socket = on_fd,
#else
	.register_poll_fd = on_fd,
	.unregister_poll_fd = on_fd,
#endif
};

/* Handles messages of glib and libslirp, including the text of an assertion. */
static void
on_glib_log(const char *domain, GLogLevelFlags level, const char *text, gpointer ctx)
{
	struct stack *stack = ctx;

	(void)domain;
	(void)level;
	stack->host.complain(stack->host.ctx, text);
}

/* g_set_printerr_handler() has no context argument; a worker has one stack. */
static struct stack *printing_stack;

static void
on_glib_printerr(const char *text)
{
	if (printing_stack)
		printing_stack->host.complain(printing_stack->host.ctx, text);
}

static void
stop(void *self)
{
	struct stack *stack = self;

	if (stack->slirp)
		slirp_cleanup(stack->slirp);
	g_log_set_default_handler(g_log_default_handler, NULL);
	g_set_printerr_handler(NULL);
	g_set_print_handler(NULL);
	printing_stack = NULL;
	free(stack);
}

struct stack *
stack_new(const struct ipc_network *network, const struct stack_host *host)
{
	struct stack *stack = calloc(1, sizeof(*stack));
	SlirpConfig config = {
		.version = CONFIG_VERSION,
		.in_enabled = true,
		.vnetwork.s_addr = network->network_be,
		.vnetmask.s_addr = network->netmask_be,
		.vhost.s_addr = network->host_be,
		.in6_enabled = network->enable_ipv6,
		.vprefix_addr6 = network->prefix6,
		.vprefix_len = PREFIX6_LEN,
		.vhost6 = network->host6,
		.vdhcp_start.s_addr = network->dhcp_start_be,
		.vnameserver.s_addr = network->nameserver_be,
		.vnameserver6 = network->nameserver6,
		.if_mtu = STACK_IF_MTU,
		/* The least that libslirp accepts (IF_MRU_MIN, src/if.h): only TCP, which
		 * never gets there, uses it. */
		.if_mru = STACK_IF_MRU,
		.disable_host_loopback = true,
		.enable_emu = false,
		.disable_dns = !network->enable_dns,
	};

	if (!stack)
		return NULL;
	/* Otherwise glib would convert messages from the locale's character set, and open
	 * tables that do not exist in the jail. */
	g_setenv("CHARSET", "UTF-8", TRUE);
	(void)g_strerror(EHOSTUNREACH);
	stack->host = *host;
	stack->now_ns = clock_now_ns();
	stack->epoch_ns = stack->now_ns - STACK_CLOCK_START_NS;
	printing_stack = stack;
	g_log_set_default_handler(on_glib_log, stack);
	g_set_printerr_handler(on_glib_printerr);
	g_set_print_handler(on_glib_printerr);
	stack->slirp = slirp_new(&config, &callbacks, stack);
	if (!stack->slirp) {
		stop(g_steal_pointer(&stack));
		errno = EINVAL;
	}
	return stack;
}

void
stack_input(struct stack *stack, const uint8_t *frame, size_t frame_len)
{
	slirp_input(stack->slirp, frame, (int)frame_len);
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

static uint64_t
prepare(void *self, uint64_t now_ms)
{
	struct stack *stack = self;
	uint32_t wanted_ms = UINT32_MAX;

#if HAVE_SOCKET_API
	slirp_pollfds_fill_socket(stack->slirp, &wanted_ms, on_add_poll, stack);
#else
	slirp_pollfds_fill(stack->slirp, &wanted_ms, on_add_poll, stack);
#endif
	return wanted_ms < STACK_NOTHING_TO_DO_MS ? now_ms + wanted_ms : DEADLINE_NONE;
}

void
stack_go_on(struct stack *stack)
{
	/* libslirp looks at no socket if it is told that the wait failed. */
	slirp_pollfds_poll(stack->slirp, true, on_get_revents, stack);
}

static void
finish(void *self, uint64_t now_ms)
{
	(void)now_ms;
	stack_go_on(self);
}

const struct engine_ops stack_engine = {
	.prepare = prepare,
	.finish = finish,
	.free = stop,
};
