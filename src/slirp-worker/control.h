/* What the parent asks of the worker, and what the worker tells it unasked. */
#pragma once

#include "slirp-worker/worker.h"

/* Tells which libslirp this is. */
void worker_control_introduce(struct worker *worker);

/* Receives all that the parent has sent; sets worker->ended at its end. */
void worker_control_receive(struct worker *worker);

/* Waits for start and does it. False if the parent went away before. */
bool worker_control_wait_start(struct worker *worker);

/* Begins the limits of log lines that a guest can cause. */
void worker_control_limit_lines(struct worker *worker);

/* What libslirp says of the guest (stack.h): counted, and some of it logged; ctx is the
 * worker. */
void worker_control_complain(void *ctx, const char *text);

/* The TAP can't be read any more: tells the parent, once, and lets go of it. */
void worker_control_tap_gone(struct worker *worker, int error);

/* What the stack tells of TCP sockets (stack.h), for the relay to follow; ctx is the worker. */
void worker_control_tcp_socket_made(void *ctx, int fd);
void worker_control_tcp_socket_ends(void *ctx, int fd);

/* What it tells of UDP peers on the host's loopback, for the gate. */
void worker_control_udp_peer_on_loopback(void *ctx, int port_fd,
    const struct udp_end *guest, uint16_t peer_port);
void worker_control_udp_port_ends(void *ctx, int port_fd);

/* All counters as they are now; borrowed until the next frame. */
const struct ipc_stats *worker_control_stats(struct worker *worker);
