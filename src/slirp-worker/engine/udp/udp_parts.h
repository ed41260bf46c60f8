/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the UDP engine that have sockets share; no other file includes it. */
#pragma once

#include "slirp-worker/engine/udp/udp_host.h"

/* Datagrams and errors read from one flow in a turn: as many as frames of the TAP.
 * epoll(7) reports the rest. */
#define UDP_READS_MAX 16

/* udp_send.c; members of struct udp_world, ctx is the udp_host. */
void udp_open_socket(void *ctx, struct udp_flow *flow, uint16_t host_port);
int udp_send(void *ctx, struct udp_flow *flow, const struct udp_datagram *datagram);
void udp_close_socket(void *ctx, struct udp_flow *flow);

/* udp_frame.c; the first is a member of struct udp_world. */
void udp_unreachable(void *ctx, const struct udp_flow *flow, int error);
/* The guest's datagram has reached the end of its TTL in this router. */
void udp_time_exceeded(struct udp_host *host, const struct gate_frame *parsed,
    const uint8_t *frame);
/* Gives the guest the datagrams that wait at a flow's socket. */
void udp_take_datagrams(struct udp_host *host, struct udp_flow *flow);
/* Gives the guest the errors that the kernel has queued for a flow (ip(7), IP_RECVERR),
 * which clears the error of the socket. */
void udp_take_errors(struct udp_host *host, const struct udp_flow *flow);
