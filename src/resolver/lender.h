/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the connector for sockets that lead to name servers. It answers in the order of the
 * questions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

struct resolver;

/* The numbers that were asked for and have no answer; a ring. */
struct lender {
	uint64_t asked[IPC_DNS_ASKED_MAX];
	size_t first, n;
	bool is_full; /* the connector's queue did not take the last message */
	/* Of the judge's counts, what the connectors have been told. */
	uint64_t n_denied_told, n_limited_told, n_cut_told;
};

/* Asks for the sockets that questions want, as far as the limit and the queue allow. */
void lender_send(struct resolver *resolver);

/* Tells the connector of a refusal by the policy: the name that was denied, or "", and the rule or
 * IPC_DNS_NO_RULE. If the queue is full the name is lost, and the counts are told later. */
void lender_tell_refusal(struct resolver *resolver, const char *name, uint16_t rule);

/* Handles the connector's answers that have come. A connector that breaks the protocol is
 * fatal: slirpd then ends. */
void lender_receive(struct resolver *resolver);

/* Adopts the channel to a new connector, which is asked for what the old one owed. */
void lender_begin(struct resolver *resolver, int adopt_fd);
