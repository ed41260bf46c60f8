/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes the guest's messages from the worker, and gives it the answers. */
#include "resolver/worker.h"

#include <string.h>

#include "base/log.h"
#include "ipc/dispatch.h"
#include "ipc/fdtable.h"
#include "process/peer.h"
#include "process/serve.h"
#include "resolver/resolver.h"

/* Messages for each wait: as many as the queue holds, so that a burst of the guest makes
 * place for the next one at once. */
#define RECEIVE_MAX 64

#define DECLARE(...) IPC_DECLARE_HANDLER(resolver, struct resolver, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(resolver, resolver, msg, __VA_ARGS__)
IPC_ROWS_SLIRP_WORKER_TO_RESOLVER(DECLARE)

static void
end_worker(struct resolver *resolver)
{
	peer_close(&resolver->to_worker);
	resolver->has_answer = false;
	/* The next worker has questions of the same numbers. */
	question_end_all(resolver);
}

void
worker_begin(struct resolver *resolver, int adopt_fd)
{
	end_worker(resolver);
	peer_open(&resolver->to_worker, adopt_fd, IPC_CHILD_FD_PEER, IPC_ROLE_RESOLVER,
	    IPC_ROLE_SLIRP_WORKER);
}

void
worker_answer_again(struct resolver *resolver)
{
	resolver->has_answer = peer_must_send_again(
	    ipc_send_dns_answer(&resolver->to_worker, &resolver->answer));
}

void
worker_answer(struct resolver *resolver, uint64_t asker, const uint8_t *bytes, size_t len)
{
	if (resolver->has_answer)
		return;
	resolver->answer =
	    (struct ipc_dns_answer){ .number = asker, .len = (uint16_t)len };
	memcpy(resolver->answer.bytes, bytes, len);
	worker_answer_again(resolver);
}

void
resolver_on_dns_query(struct resolver *resolver, const struct ipc_dns_query *msg)
{
	const struct asker asker = { .number = msg->number };

	(void)question_add(resolver, &asker, msg->bytes, msg->len);
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct resolver *resolver = ctx;

	switch (msg->id) {
		IPC_ROWS_SLIRP_WORKER_TO_RESOLVER(CALL)
	default:
		break;
	}
	return true;
}

void
worker_receive(struct resolver *resolver)
{
	static const struct serve from_worker = { .take = take };
	struct serve_violation violation;

	switch (serve_receive(&resolver->to_worker, RECEIVE_MAX, &from_worker, resolver,
	    &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		end_worker(resolver);
		break;
	case SERVE_VIOLATED:
		fatalx("message from slirp-worker: %s: %s", violation.row, violation.why);
	}
}
