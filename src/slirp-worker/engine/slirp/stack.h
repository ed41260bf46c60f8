/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network stack: libslirp behind a small face. Its files (stack_state.h
 * names them) are the only users of libslirp.h, for both generations of its interface: that
 * of 4.7, and the one with sockets of their own type since 4.9. The worker runs it after the
 * gate; it opens the host's sockets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ipc/messages.h"
#include "slirp-worker/budget.h"
#include "slirp-worker/engine/engine.h"
#include "slirp-worker/gate/gate_dhcp.h"
#include "slirp-worker/pollset.h"
#include "slirp-worker/timers.h"
#include "slirp-worker/engine/slirp/udp_flows.h"

/* What the stack needs of the worker. */
struct stack_host {
	void *ctx;
	/* Takes one frame for the guest, borrowed for the call. */
	void (*to_guest)(void *ctx, const uint8_t *frame, size_t frame_len);
	/* Takes a line of libslirp's, about something that the guest did or that
	 * failed. */
	void (*complain)(void *ctx, const char *text);
	/* libslirp has a new TCP socket, borrowed: it was accepted, or is about to be
	 * connected. */
	void (*tcp_socket_made)(void *ctx, int fd);
	/* It is about to close one that it had made. */
	void (*tcp_socket_ends)(void *ctx, int fd);
	/* A socket found no place in the set of the next wait. */
	void (*socket_not_polled)(void *ctx);
	/* With the host's loopback closed: libslirp is about to take a datagram of a peer on
	 * it from a forwarded port, for this end in the guest; borrowed. */
	void (*udp_peer_on_loopback)(void *ctx, int port_fd, const struct flow_key *guest,
	    uint16_t peer_port);
	/* A forwarded UDP port is about to be closed. */
	void (*udp_port_ends)(void *ctx, int port_fd);
	struct timers *timers;        /* borrowed, as are the next two */
	struct budget *budget;        /* what libslirp's own sockets take is taken here */
	const struct gate_dhcp *dhcp; /* the guest's last requests */
};

struct stack;

/* Connections that wait to be accepted at a port of the host: as many as Linux gives at most
 * by default (net.core.somaxconn since 5.4). */
#define STACK_LISTEN_BACKLOG 4096

/* tcp_mtu_bytes is what the length of TCP segments to the guest follows. The caller owns
 * the result and ends it with stack_engine.free. NULL with errno set: ENOMEM, or EINVAL if libslirp
 * refuses. */
struct stack *stack_new(const struct ipc_network *network,
    const struct ipc_outbound *outbound, uint32_t tcp_mtu_bytes,
    const struct stack_host *host);

/* Of outbound addresses, which families there are is settled by stack_new. */
extern const struct engine_ops stack_engine;

/* Takes a frame that the gate has passed; borrowed for the call. */
void stack_input(struct stack *stack, const uint8_t *frame, size_t frame_len);

/* To be asked before a UDP datagram for which libslirp needs a socket; it goes in next. False
 * if that would be a new socket, and the guest has as many as it may. is_dns: the datagram is
 * for the name server. */
bool stack_admit_udp(struct stack *stack, const struct flow_key *guest, bool is_dns);

/*
 * Opens a port of the host: what comes to `host` goes to `guest`, a sockaddr_in or a
 * sockaddr_in6 each, both of the same family, neither address of the guest's unspecified
 * (libslirp 4.7 aborts on an IPv4 port with an IPv6 guest, and crashes on a guest "::").
 * proto is IPPROTO_TCP or IPPROTO_UDP. is_inner: the port is a relay's, which sees to its peers
 * itself. Returns 0, or -1 with errno as the kernel said.
 */
int stack_port_open(struct stack *stack, uint8_t proto, const struct sockaddr *host,
    const struct sockaddr *guest, bool is_inner);

/* Closes the port; what came in by it goes on. Costs a walk over the sockets that were
 * opened later. */
void stack_port_close(struct stack *stack, uint8_t proto, const struct sockaddr *host);

/* What is open by way of the guest's packets, and by connections to forwarded ports; the
 * forwarded ports themselves are not in it. */
struct stack_sockets {
	uint32_t n_tcp;
	uint32_t n_udp;
};

const struct stack_sockets *stack_sockets(const struct stack *stack);

/* Hands out libslirp's own text on its sockets, line by line, headline first. Lines are
 * borrowed for the call. Costs time and memory for each socket. */
void stack_describe(struct stack *stack, void (*take)(void *ctx, const char *line),
    void *ctx);

/* The version of the library that is loaded, a static string. */
const char *stack_library_version(void);

/* SLIRP_CONFIG_VERSION_MAX of the library that we were built for. */
uint32_t stack_config_version_max(void);
