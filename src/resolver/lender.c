/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the connector for sockets, and takes its answers. */
#include "resolver/lender.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "ipc/dispatch.h"
#include "ipc/fdtable.h"
#include "process/peer.h"
#include "process/serve.h"
#include "resolver/judging.h"
#include "resolver/policy.h"
#include "resolver/resolver.h"

#define DECLARE(...) IPC_DECLARE_HANDLER(resolver, struct resolver, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(resolver, resolver, msg, __VA_ARGS__)
IPC_ROWS_CONNECTOR_TO_RESOLVER(DECLARE)

static_assert((IPC_DNS_ASKED_MAX & (IPC_DNS_ASKED_MAX - 1)) == 0,
    "an index is wrapped by a mask");

/* The next connector has not been asked for anything. */
static void
end_connector(struct resolver *resolver)
{
	peer_close(&resolver->to_connector);
	resolver->lender.first = resolver->lender.n = 0;
	resolver->lender.is_full = false;
	question_restart_all(resolver);
}

void
lender_begin(struct resolver *resolver, int adopt_fd)
{
	end_connector(resolver);
	peer_open(&resolver->to_connector, adopt_fd, IPC_CHILD_FD_CONNECTOR,
	    IPC_ROLE_RESOLVER, IPC_ROLE_CONNECTOR);
}

void
lender_tell_refusal(struct resolver *resolver, const char *name, uint16_t rule)
{
	struct lender *lender = &resolver->lender;
	const struct judge *judge = resolver->judge;
	struct ipc_dns_refusal msg = {
		.generation = resolver_policy_generation(resolver),
		.n_denied = judge->n_denied - lender->n_denied_told,
		.n_limited = judge->n_limited - lender->n_limited_told,
		.n_cut = judge->n_cut - lender->n_cut_told,
		.rule = rule,
	};

	/* Pins come first. */
	if (resolver->to_connector.fd == -1 || lender->is_full)
		return;
	memcpy(msg.name, name, strlen(name));
	if (ipc_send_dns_refusal(&resolver->to_connector, &msg) == -1) {
		lender->is_full = true;
		return;
	}
	lender->n_denied_told = judge->n_denied;
	lender->n_limited_told = judge->n_limited;
	lender->n_cut_told = judge->n_cut;
}

/* Whether counts have not been told: addresses were cut, or the queue was full. */
static bool
has_untold(const struct resolver *resolver)
{
	const struct lender *lender = &resolver->lender;
	const struct judge *judge = resolver->judge;

	return judge != NULL &&
	    (judge->n_denied != lender->n_denied_told ||
		judge->n_limited != lender->n_limited_told ||
		judge->n_cut != lender->n_cut_told);
}

void
lender_send(struct resolver *resolver)
{
	struct lender *lender = &resolver->lender;
	struct ipc_dns_open wanted = { 0 };
	struct ipc_dns_pin pin = { 0 };

	lender->is_full = false;
	while (resolver->to_connector.fd != -1 && judging_wants_pin(resolver, &pin)) {
		if (ipc_send_dns_pin(&resolver->to_connector, &pin) == -1) {
			lender->is_full = true;
			return;
		}
		judging_has_pinned(resolver);
	}
	while (lender->n < IPC_DNS_ASKED_MAX && resolver->to_connector.fd != -1 &&
	    question_wants_socket(resolver, &wanted)) {
		if (ipc_send_dns_open(&resolver->to_connector, &wanted) == -1) {
			lender->is_full = true;
			return;
		}
		question_has_asked(resolver);
		lender->asked[(lender->first + lender->n++) & (IPC_DNS_ASKED_MAX - 1)] =
		    wanted.number;
	}
	if (has_untold(resolver))
		lender_tell_refusal(resolver, "", IPC_DNS_NO_RULE);
}

/* Takes the number off that is due. */
static void
take_number(struct lender *lender, uint64_t number, const char *row)
{
	if (lender->n == 0 || lender->asked[lender->first] != number)
		fatalx("message from connector: %s: an answer to no question", row);
	lender->first = (lender->first + 1) & (IPC_DNS_ASKED_MAX - 1);
	lender->n--;
}

void
resolver_on_dns_opened(struct resolver *resolver, const struct ipc_dns_opened *msg,
    int adopt_fd)
{
	take_number(&resolver->lender, msg->number, "dns_opened");
	question_take_socket(resolver, msg->number, adopt_fd);
}

void
resolver_on_dns_refused(struct resolver *resolver, const struct ipc_dns_refused *msg)
{
	take_number(&resolver->lender, msg->number, "dns_refused");
	question_take_refusal(resolver, msg->number, (int)msg->error);
}

void
resolver_on_dns_client(struct resolver *resolver, int adopt_fd)
{
	client_add(resolver, adopt_fd);
}

void
resolver_on_dns_pinned(struct resolver *resolver, const struct ipc_dns_pinned *msg)
{
	judging_take_pinned(resolver, msg->number, msg->is_pinned);
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct resolver *resolver = ctx;

	switch (msg->id) {
		IPC_ROWS_CONNECTOR_TO_RESOLVER(CALL)
	default:
		break;
	}
	return true;
}

/* The kernel found no free descriptor for the socket, and closed it. */
static void
miss_socket(void *ctx, const struct ipc_message *msg, const char *why)
{
	struct resolver *resolver = ctx;
	uint64_t number = msg->payload.dns_opened.number;

	(void)why;
	/* The guest sees the end of its connection. */
	if (msg->id == IPC_MSG_dns_client)
		return;
	take_number(&resolver->lender, number, "dns_opened");
	question_take_refusal(resolver, number, EMFILE);
}

void
lender_receive(struct resolver *resolver)
{
	static const struct serve from_connector = { .take = take, .miss = miss_socket };
	struct serve_violation violation;

	switch (serve_receive(&resolver->to_connector, IPC_DNS_ASKED_MAX, &from_connector,
	    resolver, &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		end_connector(resolver);
		break;
	case SERVE_VIOLATED:
		fatalx("message from connector: %s: %s", violation.row, violation.why);
	}
}
