/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slirpd-resolver: takes the guest's DNS messages from the worker, and asks the host's name
 * servers. It has no network and no file: the connector makes its sockets, each of which
 * leads to one name server. It reads what the guest and the servers send.
 */

#include "base/exitcode.h"
#include "process/child.h"
#include "resolver/control.h"
#include "resolver/loop.h"

/* Lines about name servers that the guest's questions can cause: each server may die, and come
 * back, twice before a line is held back. */
#define LOG_BURST 12
#define LOG_INTERVAL_MS (30 * 60 * 1000)

/* Lines about names that the policy refuses: enough to see what a program misses, and then one that
 * tells how many more there were. slirpctl has them all. */
#define REFUSAL_LOG_BURST 8
#define REFUSAL_LOG_INTERVAL_MS (10 * 60 * 1000)

/* Not on the stack: questions and clients are large. Without initial values, so that the program's
 * file has no copy of it. */
static struct resolver resolver;

int
main(void)
{
	resolver.to_worker.fd = resolver.to_connector.fd = -1;
	resolver.jail.fallback_userns_fd = -1;
	resolver.log_limit = (struct ratelimit){
		.burst = LOG_BURST,
		.interval_ms = LOG_INTERVAL_MS,
	};
	resolver.refusal_log_limit = (struct ratelimit){
		.burst = REFUSAL_LOG_BURST,
		.interval_ms = REFUSAL_LOG_INTERVAL_MS,
	};
	child_begin(&resolver.to_parent, IPC_ROLE_RESOLVER, "slirpd-resolver");
	question_init(&resolver);
	if (resolver_control_begin(&resolver))
		resolver_loop_run(&resolver);
	return EXITCODE_OK;
}
