/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The errors that the kernel queues for a socket of UDP or ping (ip(7), IP_RECVERR): what
 * routers and hosts answered to a packet of the guest.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/inaddr.h"
#include "slirp-worker/gate/refusal.h"

struct errqueue_error {
	int error; /* errno; 0: the queue's message had none */
	/* An ICMP error that may be passed on to the guest, without a source. */
	bool is_for_guest;
	struct refusal_error icmp; /* if is_for_guest, as is the next */
	struct inaddr offender;    /* who sent it, of the socket's family */
	/* The kernel did not send a packet, because it is longer than this MTU; else 0. */
	uint32_t own_mtu_bytes;
};

/* Takes the next message, which clears the socket's error too. The quoted packet, or its
 * start, goes to *quoted. Returns how many bytes, or -1 if the queue is empty. */
ssize_t errqueue_take(int fd, bool is_ip6, struct iovec *quoted,
    struct errqueue_error *error);
