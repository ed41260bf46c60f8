/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's DNS over UDP: datagrams to the name server go to the resolver as messages, and
 * its answers come back as datagrams. No flow and no socket stands for them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/channel.h"
#include "process/serve.h"
#include "model/flow_key.h"
#include "slirp-worker/wire/wire.h"

/* Questions without an answer. The resolver has 256 (QUESTIONS_MAX there), and its queue holds
 * less than a hundred. A question that gives way to a new one was forgotten there before. */
#define UDP_DNS_ASKERS_MAX 512

/* Where the answer to a question goes. */
struct udp_asker {
	uint64_t number; /* of the question; 0: none */
	struct flow_key key;
	uint8_t guest_mac[WIRE_MAC_LEN];
	uint8_t our_mac[WIRE_MAC_LEN];
};

struct udp_dns {
	struct ipc_channel *channel;                 /* borrowed; to the resolver */
	struct udp_asker askers[UDP_DNS_ASKERS_MAX]; /* by number, modulo their count */
	uint64_t n_asked;
};

struct udp_host;

/* Gives a datagram's data to the resolver, and keeps the asker under a number of its own. Returns
 * false if the datagram is lost: no message of DNS, too long, or the resolver's queue is full. */
bool udp_dns_ask(struct udp_dns *dns, const struct udp_asker *asker, const uint8_t *data,
    size_t len);

/* Sends the guest the answers that have come. The violation is set for SERVE_VIOLATED. */
enum serve_end udp_dns_receive(struct udp_host *host, struct serve_violation *violation);
