/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network stack: a small interface to libslirp. Only its files (stack_state.h lists
 * them) include libslirp.h. They support two versions of libslirp's interface: 4.7, and
 * 4.9 with its own type for sockets. The worker runs the stack after the gate; the stack
 * opens sockets of the host.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ipc/messages.h"
#include "slirp-worker/budget.h"
#include "slirp-worker/engine/engine.h"
#include "slirp-worker/engine/slirp/udp_flows.h"
#include "slirp-worker/gate/gate_dhcp.h"
#include "slirp-worker/pollset.h"
#include "slirp-worker/timers.h"

/* The functions and data of the worker that the stack needs. */
struct stack_host {
	void *ctx;
	/* Takes one frame for the guest, borrowed for the call. */
	void (*to_guest)(void *ctx, const uint8_t *frame, size_t frame_len);
	/* Takes a line of libslirp about an action of the guest or about a failure. */
	void (*complain)(void *ctx, const char *text);
	/* The set of the next wait is full, so a socket was left out. */
	void (*socket_not_polled)(void *ctx);
	/* If the host's loopback is closed: libslirp is about to take a datagram from a
	 * peer on the loopback, at a forwarded port. Borrows the key, the guest's end. */
	void (*udp_peer_on_loopback)(void *ctx, int port_fd, const struct flow_key *guest,
	    uint16_t peer_port);
	/* A forwarded UDP port is about to be closed. */
	void (*udp_port_ends)(void *ctx, int port_fd);
	struct timers *timers;        /* borrowed, as are the next two */
	struct budget *budget;        /* for libslirp's sockets */
	const struct gate_dhcp *dhcp; /* the guest's last requests */
};

struct stack;

/* The caller owns the result and frees it with stack_engine.free. NULL with errno set: ENOMEM, or EINVAL if
 * libslirp refuses the configuration. */
struct stack *stack_new(const struct ipc_network *network,
    const struct ipc_outbound *outbound, const struct stack_host *host);

/* set_outbound() changes addresses only; stack_new() fixes the families. */
extern const struct engine_ops stack_engine;

/* Sets the time (CLOCK_MONOTONIC), which is valid until the next call. libslirp asks for the
 * time at each segment that it sends; clock_gettime(2) costs a fiftieth of the segment. So
 * the worker's loop reads the clock before and after each wait. */
void stack_set_time(struct stack *stack, int64_t now_ns);

/*
 * Tells libslirp the time, and lets it send packets that waited for a frame, such as the
 * guest's answer to an ARP request.
 *
 * Call it before the frames after a long wait: libslirp's time is the time of its last
 * poll, and its new UDP sockets would expire at once. Call it after frames: otherwise
 * these packets wait up to a second for the next event, and libslirp may drop them.
 */
void stack_go_on(struct stack *stack);

/* Takes a frame that passed the gate; borrowed for the call. */
void stack_input(struct stack *stack, const uint8_t *frame, size_t frame_len);

/* Call before stack_input() with a UDP datagram that needs a socket. False if the budget
 * has none for a new socket. is_dns: the datagram goes to the name server. */
bool stack_admit_udp(struct stack *stack, const struct flow_key *guest, bool is_dns);

/*
 * Opens a UDP port of the host: `host` is forwarded to `guest`. Each is a sockaddr_in or a
 * sockaddr_in6; both have the same family. The guest's address must not be unspecified:
 * libslirp 4.7 crashes on "::". It aborts on an IPv4 port with an IPv6 guest. is_inner: the port belongs to a relay, which handles its
 * peers itself. Returns 0, or -1 with the kernel's errno.
 */
int stack_port_open(struct stack *stack, const struct sockaddr *host,
    const struct sockaddr *guest, bool is_inner);

/* Closes the port. Searches the newer sockets. */
void stack_port_close(struct stack *stack, const struct sockaddr *host);

/* UDP sockets of the guest's flows, without the forwarded ports. */
uint32_t stack_n_sockets(const struct stack *stack);

/* The version of the loaded library, a static string. */
const char *stack_library_version(void);

/* SLIRP_CONFIG_VERSION_MAX of the library that slirpd was built with. */
uint32_t stack_config_version_max(void);
