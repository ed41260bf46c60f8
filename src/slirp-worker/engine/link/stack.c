/* SPDX-License-Identifier: BSD-2-Clause */
/* Serves the guest's link, mostly by libslirp: configuration, time, frames and messages. */
#include "slirp-worker/engine/link/stack.h"

#include <errno.h>
#include <glib.h>
#include <libslirp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "slirp-worker/engine/link/dhcp6.h"
#include "slirp-worker/engine/link/dhcp_reply.h"
#include "slirp-worker/engine/link/router_advert.h"
#include "slirp-worker/tap/tapio.h"

/* The version of SlirpConfig and SlirpCb whose fields stack.c fills in, which libslirp has
 * since 4.7. The later ones have more for sockets and for slirp4netns's other options. */
#define CONFIG_VERSION 4

/*
 * libslirp's own constant is private (IF_MTU_MAX, src/if.h). libslirp fragments IPv4
 * packets that exceed its if_mtu, but drops IPv6 packets. So it gets the largest if_mtu,
 * and frag.c fragments datagrams of both families.
 */
#define STACK_IF_MTU 65521

#define STACK_IF_MRU 68

/* libslirp counts milliseconds in 32 bits, and compares them as if they never wrapped. So
 * its time starts with the worker, not with the machine: few workers run for 49.7 days. It
 * starts with more than libslirp's longest timeout, because libslirp takes 0 for "never". */
#define STACK_CLOCK_START_NS (INT64_C(300) * CLOCK_MS_PER_S * CLOCK_NS_PER_MS)

/* Stateless autoconfiguration works only with this length. */
#define PREFIX6_LEN 64

struct stack {
	Slirp *slirp;
	struct stack_host host;
	const struct ipc_network *network;
	int64_t now_ns;
	int64_t epoch_ns;       /* start of libslirp's time */
	uint64_t advert_due_ms; /* CLOCK_MONOTONIC */
};

static void
to_guest(struct stack *stack, const uint8_t *frame, size_t frame_len)
{
	/* Static, to keep the stack small; libslirp is not called recursively. */
	static uint8_t copy[TAPIO_FRAME_MAX];
	const struct gate_dhcp *dhcp = stack->host.dhcp;

	if (frame_len <= sizeof(copy) && dhcp_reply_is_one(dhcp, frame, frame_len)) {
		memcpy(copy, frame, frame_len);
		dhcp_reply_rewrite(dhcp, copy);
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

/* libslirp's only timer is for its router advertisements, which are not wanted: they depend
 * on a file of the host. It never fires. */
static void *
on_timer_new(SlirpTimerId id, void *cb_opaque, void *opaque)
{
	(void)id;
	(void)cb_opaque;
	return opaque;
}

static void
on_timer_mod(void *timer, int64_t expire_time_ms, void *opaque)
{
	(void)timer;
	(void)expire_time_ms;
	(void)opaque;
}

static void
on_timer_free(void *timer, void *opaque)
{
	(void)timer;
	(void)opaque;
}

void
stack_set_time(struct stack *stack, int64_t now_ns)
{
	stack->now_ns = now_ns;
}

/* libslirp has no socket: it never calls the others. */
static const SlirpCb callbacks = {
	.send_packet = on_send_packet,
	.guest_error = on_guest_error,
	.clock_get_ns = on_clock_get_ns,
	.timer_new_opaque = on_timer_new,
	.timer_free = on_timer_free,
	.timer_mod = on_timer_mod,
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
	stack->network = network;
	stack->advert_due_ms =
	    (uint64_t)(stack->now_ns / CLOCK_NS_PER_MS) + ROUTER_ADVERT_INTERVAL_MS;
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

static void
send_advert(struct stack *stack)
{
	uint8_t advert[ROUTER_ADVERT_MAX];

	stack->host.to_guest(stack->host.ctx, advert,
	    router_advert_write(stack->network, advert));
}

static void
answer_dhcp6(struct stack *stack, const uint8_t *frame, const struct gate_frame *request)
{
	uint8_t answer[DHCP6_ANSWER_MAX];
	size_t len = dhcp6_answer(stack->network, frame, request, answer);

	if (len > 0)
		stack->host.to_guest(stack->host.ctx, answer, len);
}

void
stack_input(struct stack *stack, const uint8_t *frame, const struct gate_frame *parsed)
{
	bool is_ip6 = parsed->ethertype == WIRE_TYPE_IP6;

	if (is_ip6 && parsed->protocol == IPPROTO_UDP)
		answer_dhcp6(stack, frame, parsed);
	else if (is_ip6 &&
	    frame[parsed->l4_offset + WIRE_ICMP_TYPE] == WIRE_ICMP6_ROUTER_SOLICITATION)
		send_advert(stack);
	else
		slirp_input(stack->slirp, frame, (int)parsed->len);
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
	const struct stack *stack = self;

	(void)now_ms;
	return stack->network->enable_ipv6 ? stack->advert_due_ms : DEADLINE_NONE;
}

void
stack_go_on(struct stack *stack)
{
	/* libslirp looks at no socket if it is told that the wait failed. */
	slirp_pollfds_poll(stack->slirp, true, NULL, NULL);
}

static void
finish(void *self, uint64_t now_ms)
{
	struct stack *stack = self;

	if (stack->network->enable_ipv6 && now_ms >= stack->advert_due_ms) {
		stack->advert_due_ms = now_ms + ROUTER_ADVERT_INTERVAL_MS;
		send_advert(stack);
	}
	stack_go_on(stack);
}

const struct engine_ops stack_engine = {
	.prepare = prepare,
	.finish = finish,
	.free = stop,
};
