/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes sockets for the resolver, to the name servers that the parent has named and no others, and
 * takes the addresses of names from it. */
#include "connector/lend.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/dnsname.h"
#include "connector/open/open.h"
#include "connector/policy.h"
#include "ipc/dispatch.h"
#include "ipc/fdtable.h"
#include "process/peer.h"
#include "process/serve.h"

/* Questions for each wait: all that the resolver may have. */
#define RECEIVE_MAX IPC_DNS_ASKED_MAX

#define DECLARE(...) IPC_DECLARE_HANDLER(connector, struct connector, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(connector, connector, msg, __VA_ARGS__)
IPC_ROWS_RESOLVER_TO_CONNECTOR(DECLARE)

static void
end_resolver(struct connector *connector)
{
	peer_close(&connector->to_resolver);
	if (connector->has_lent && connector->lent.fd != -1)
		close(take_fd(&connector->lent.fd));
	connector->has_lent = false;
}

/* The resolver broke the protocol; the parent ends it. */
static void
drop_resolver(struct connector *connector, const char *row, const char *why)
{
	peer_report(&connector->to_parent, &connector->resolver, row, why);
	end_resolver(connector);
}

void
connector_lend_begin(struct connector *connector, int adopt_fd,
    const struct ipc_peer *resolver)
{
	end_resolver(connector);
	connector->resolver = *resolver;
	peer_open(&connector->to_resolver, adopt_fd, IPC_CHILD_FD_RESOLVER,
	    IPC_ROLE_CONNECTOR, IPC_ROLE_RESOLVER);
}

static int
send_answer(struct connector *connector)
{
	const struct connector_lent *answer = &connector->lent;
	const struct ipc_dns_opened opened = { .number = answer->number };
	const struct ipc_dns_refused refused = {
		.number = answer->number,
		.error = answer->error,
	};
	const struct ipc_dns_pinned pinned = {
		.number = answer->number,
		.is_pinned = answer->error == 0,
	};

	if (answer->is_pin)
		return ipc_send_dns_pinned(&connector->to_resolver, &pinned);
	return answer->fd != -1
	    ? ipc_send_dns_opened(&connector->to_resolver, &opened, answer->fd)
	    : ipc_send_dns_refused(&connector->to_resolver, &refused);
}

void
connector_lend_answer(struct connector *connector)
{
	struct connector_lent *answer = &connector->lent;
	int result = send_answer(connector);

	/* unix(7): too many descriptors of the user are in queues. */
	if (result == -1 && errno == ETOOMANYREFS) {
		answer->error = ETOOMANYREFS;
		close(take_fd(&answer->fd));
		result = send_answer(connector);
	}
	connector->has_lent = peer_must_send_again(result);
	if (!connector->has_lent && answer->fd != -1)
		close(take_fd(&answer->fd));
}

int
connector_lend_connect(struct connector *connector)
{
	int fds[2];
	autofd int own_fd = -1, resolver_fd = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	own_fd = fds[0];
	resolver_fd = fds[1];
	/* A shortage of ours, and no fault of a name server. */
	if (ipc_send_dns_client(&connector->to_resolver, resolver_fd) == -1) {
		errno = EMFILE;
		return -1;
	}
	return take_fd(&own_fd);
}

static bool
is_known(const struct ipc_nameservers *known, const struct ipc_nameserver *server)
{
	for (size_t i = 0; i < known->n; i++)
		if (memcmp(&known->servers[i], server, sizeof(*server)) == 0)
			return true;
	return false;
}

static int
open_server(const struct connector_rules *rules, const struct ipc_dns_open *msg)
{
	union inaddr_sock to = inaddr_sock_make(&msg->server.addr, DNS_PORT);

	if (!connector_policy_allows_queries()) {
		errno = EACCES;
		return -1;
	}
	if (msg->server.addr.is_ipv6)
		to.in6.sin6_scope_id = msg->server.scope_id;
	return msg->is_tcp ? open_tcp(&to, &rules->outbound)
			   : open_dns(&to, &rules->outbound);
}

void
connector_on_dns_open(struct connector *connector, const struct ipc_dns_open *msg)
{
	const struct connector_rules *rules = &connector->rules;
	struct connector_lent *answer = &connector->lent;

	*answer = (struct connector_lent){ .number = msg->number, .fd = -1 };
	/* The list may have changed since the resolver has heard of it. */
	if (is_known(&rules->nameservers, &msg->server)) {
		answer->fd = open_server(rules, msg);
		answer->error = answer->fd == -1 ? (uint32_t)errno : 0;
	} else {
		answer->error = ENETUNREACH;
	}
	connector_lend_answer(connector);
}

void
connector_on_dns_pin(struct connector *connector, const struct ipc_dns_pin *msg)
{
	int error = connector_policy_pin(msg);

	if (error == EINVAL) {
		drop_resolver(connector, "dns_pin", "there is no such pattern");
		return;
	}
	connector->lent = (struct connector_lent){
		.number = msg->number,
		.fd = -1,
		.is_pin = true,
		.error = (uint32_t)error,
	};
	connector_lend_answer(connector);
}

void
connector_on_dns_refusal(struct connector *connector, const struct ipc_dns_refusal *msg)
{
	if (connector_policy_note_refusal(msg) == -1)
		drop_resolver(connector, "dns_refusal", "there is no such rule");
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct connector *connector = ctx;

	switch (msg->id) {
		IPC_ROWS_RESOLVER_TO_CONNECTOR(CALL)
	default:
		break;
	}
	return !connector->has_lent;
}

void
connector_lend_receive(struct connector *connector)
{
	static const struct serve from_resolver = { .take = take };
	struct serve_violation violation;

	switch (serve_receive(&connector->to_resolver, RECEIVE_MAX, &from_resolver,
	    connector, &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		end_resolver(connector);
		break;
	case SERVE_VIOLATED:
		drop_resolver(connector, violation.row, violation.why);
		break;
	}
}
