/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path MTU discovery by the guest's UDP and echo (ip(7), IP_MTU_DISCOVER).
 *
 * Linux forbids to fragment whatever fits the guest's own interface, whose MTU may be larger than
 * that of the host's network. So the host fragments also what the guest forbids to fragment
 * (IP_PMTUDISC_WANT), until a router has told the guest of a narrow path. From then on, what is
 * too long for the path is lost, and the guest is told again (IP_PMTUDISC_DO).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/inaddr.h"
#include "slirp-worker/engine/errqueue.h"
#include "slirp-worker/gate/gate.h"

/* Hosts with a narrow path. If there are more, the host fragments for the first of them again. */
#define DISCOVERY_PATHS_MAX 16

/* The hosts that the guest was told of, for further sockets. All zeros at first: nobody sends to
 * 0.0.0.0. */
struct discovery_paths {
	struct inaddr to[DISCOVERY_PATHS_MAX];
	size_t next;
};

/* Of a socket. */
struct discovery {
	bool is_told;           /* the guest knows that the path is narrow */
	uint32_t own_mtu_bytes; /* by which the kernel did not send; 0: not known */
	int value;              /* of the option */
};

/* The socket is new, and leads to this host. */
void discovery_begin(struct discovery *discovery, const struct discovery_paths *paths,
    const struct inaddr *to);

/* Takes note of an error of the socket, which the guest is told if it is for it. */
void discovery_note(struct discovery *discovery, struct discovery_paths *paths,
    const struct inaddr *to, const struct errqueue_error *error);

/* Sets the socket's option for what the guest sends next. */
void discovery_set(struct discovery *discovery, int fd, bool is_ip6, bool may_fragment);

/* Makes *answer the error for a packet that the kernel did not send because of its length; l4_len
 * is that without the IP header, in bytes. Returns false if another error is the reason. */
bool discovery_refuses(const struct discovery *discovery, bool is_ip6, size_t l4_len,
    const uint8_t *gateway, struct refusal_error *answer);

/* Whether the guest lets routers fragment the packet, or has fragmented it. */
bool discovery_may_fragment(const struct gate_frame *parsed, const uint8_t *frame);
