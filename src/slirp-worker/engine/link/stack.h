/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network stack: a small interface to libslirp, which answers ARP, neighbor and router
 * discovery, DHCP, DHCPv6, and echo requests to its own addresses. Only stack.c includes
 * libslirp.h. It supports two versions of libslirp's interface: 4.7, and 4.9 with its own
 * type for sockets. The worker runs the stack after the gate. The stack never has a socket:
 * its frames need none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "slirp-worker/engine/engine.h"
#include "slirp-worker/gate/gate_dhcp.h"
#include "slirp-worker/timers.h"

/* The functions and data of the worker that the stack needs. */
struct stack_host {
	void *ctx;
	/* Takes one frame for the guest, borrowed for the call. */
	void (*to_guest)(void *ctx, const uint8_t *frame, size_t frame_len);
	/* Takes a line of libslirp about an action of the guest or about a failure. */
	void (*complain)(void *ctx, const char *text);
	struct timers *timers;        /* borrowed, as is the next */
	const struct gate_dhcp *dhcp; /* the guest's last requests */
};

struct stack;

/* The caller owns the result and frees it with stack_engine.free. NULL with errno set:
 * ENOMEM, or EINVAL if libslirp refuses the configuration. */
struct stack *stack_new(const struct ipc_network *network, const struct stack_host *host);

extern const struct engine_ops stack_engine;

/* Sets the time (CLOCK_MONOTONIC), which is valid until the next call. */
void stack_set_time(struct stack *stack, int64_t now_ns);

/* Tells libslirp the time, and lets it send packets that waited for a frame, such as the
 * guest's answer to an ARP request. Call it after frames: otherwise these packets wait up to
 * a second for the next event, and libslirp may drop them. */
void stack_go_on(struct stack *stack);

/* Takes a frame that passed the gate; borrowed for the call. */
void stack_input(struct stack *stack, const uint8_t *frame, size_t frame_len);

/* The version of the loaded library, a static string. */
const char *stack_library_version(void);

/* SLIRP_CONFIG_VERSION_MAX of the library that slirpd was built with. */
uint32_t stack_config_version_max(void);
