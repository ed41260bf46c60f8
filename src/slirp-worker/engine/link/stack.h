/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The services of the guest's link. libslirp answers ARP, neighbor discovery, DHCP, and echo
 * requests to its own addresses; router_advert.c and dhcp6.c answer the rest. Only stack.c
 * includes libslirp.h. The worker runs the stack after the gate. The stack never has a socket,
 * a timer of libslirp or a file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "slirp-worker/engine/engine.h"
#include "slirp-worker/gate/gate.h"

/* The functions and data of the worker that the stack needs. */
struct stack_host {
	void *ctx;
	/* Takes one frame for the guest, borrowed for the call. */
	void (*to_guest)(void *ctx, const uint8_t *frame, size_t frame_len);
	/* Takes a line of libslirp about an action of the guest or about a failure. */
	void (*complain)(void *ctx, const char *text);
	const struct gate_dhcp *dhcp; /* the guest's last request; borrowed */
};

struct stack;

/* network stays borrowed. The caller owns the result and frees it with stack_engine.free.
 * NULL with errno set: ENOMEM, or EINVAL if libslirp refuses the configuration. */
struct stack *stack_new(const struct ipc_network *network, const struct stack_host *host);

/* Sends router advertisements in time, beside what stack_go_on() does. */
extern const struct engine_ops stack_engine;

/* Sets the time (CLOCK_MONOTONIC), which is valid until the next call. */
void stack_set_time(struct stack *stack, int64_t now_ns);

/* Tells libslirp the time, and lets it send packets that waited for a frame, such as the
 * guest's answer to an ARP request. Call it after frames: otherwise these packets wait up to
 * a second for the next event, and libslirp may drop them. */
void stack_go_on(struct stack *stack);

/* Takes a frame that passed the gate, with right checksums; borrowed for the call. */
void stack_input(struct stack *stack, const uint8_t *frame,
    const struct gate_frame *parsed);

/* The version of the loaded library, a static string. */
const char *stack_library_version(void);

/* SLIRP_CONFIG_VERSION_MAX of the library that slirpd was built with. */
uint32_t stack_config_version_max(void);
