/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the resolver. One exists, in main.c. */
#pragma once

#include <stdbool.h>

#include "base/ratelimit.h"
#include "ipc/channel.h"
#include "resolver/client.h"
#include "resolver/dns/judge.h"
#include "resolver/jail.h"
#include "resolver/lender.h"
#include "resolver/question.h"
#include "resolver/servers.h"

struct resolver {
	struct ipc_channel to_parent; /* descriptor 3 */
	struct ipc_channel to_worker; /* descriptor 4; its fd is -1 before and after it */
	struct ipc_channel to_connector; /* descriptor 5; the same */
	struct jail jail;
	struct servers servers;
	struct lender lender;
	struct questions questions;
	struct client clients[CLIENTS_MAX];
	struct judge *judge; /* owned; NULL without a policy */
	struct ipc_dns_answer
	    answer;      /* if has_answer: one that the worker's queue did not take */
	bool has_answer; /* no socket of a server is read meanwhile */
	struct ratelimit log_limit; /* on lines about servers, which a guest can cause */
	struct ratelimit refusal_log_limit; /* on lines about names that are refused */
	uint64_t now_ms;                    /* CLOCK_MONOTONIC at the last wake-up */
	bool is_ready;
	bool ended; /* the parent has closed the channel */
};
