/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's channel: messages of the guest, and answers to them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct resolver;

/* Handles the guest's messages that have come, up to a limit. A worker that breaks the protocol
 * is fatal: slirpd then ends. */
void worker_receive(struct resolver *resolver);

/* Sends an answer of at most IPC_DNS_ANSWER_MAX bytes. One that the queue does not take is kept
 * if none is kept yet, else lost: the guest asks again. */
void worker_answer(struct resolver *resolver, uint64_t asker, const uint8_t *bytes,
    size_t len);

/* Sends the answer that is kept; the worker's queue has room now. */
void worker_answer_again(struct resolver *resolver);

/* Adopts the channel to a new worker. Nobody waits for the answers to the old one. */
void worker_begin(struct resolver *resolver, int adopt_fd);
