/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the payloads of messages about flows. */
#include "ipc/validate.h"

#include "ipc/validate_fields.h"

int
ipc_validate_flow_open(const struct ipc_flow_open *msg, const char **why)
{
	if (!ipc_is_inaddr(&msg->guest))
		return ipc_refuse(why, "guest");
	if (!ipc_is_inaddr(&msg->peer) || msg->peer.is_ipv6 != msg->guest.is_ipv6)
		return ipc_refuse(why, "peer");
	if (msg->proto != IPPROTO_TCP && msg->proto != IPPROTO_UDP &&
	    msg->proto != IPPROTO_ICMP)
		return ipc_refuse(why, "proto");
	if ((msg->peer_port == 0) != (msg->proto == IPPROTO_ICMP))
		return ipc_refuse(why, "peer_port");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_reply_open(const struct ipc_reply_open *msg, const char **why)
{
	if (msg->listener >= IPC_LISTENERS_MAX)
		return ipc_refuse(why, "listener");
	if (!ipc_is_inaddr(&msg->peer))
		return ipc_refuse(why, "peer");
	if (!ipc_is_inaddr(&msg->own) || msg->own.is_ipv6 != msg->peer.is_ipv6)
		return ipc_refuse(why, "own");
	if ((msg->peer_scope_id != 0 && !inaddr_is_link_local6(&msg->peer)) ||
	    (msg->own_scope_id != 0 && !inaddr_is_link_local6(&msg->own)))
		return ipc_refuse(why, "scope_id");
	return msg->peer_port != 0 ? 0 : ipc_refuse(why, "peer_port");
}

int
ipc_validate_flow_closed(const struct ipc_flow_closed *msg, const char **why)
{
	if (msg->n == 0 || msg->n > IPC_FLOWS_CLOSED_MAX)
		return ipc_refuse(why, "n");
	if (!ipc_is_zero(&msg->flows[msg->n],
		(IPC_FLOWS_CLOSED_MAX - msg->n) * sizeof(msg->flows[0])))
		return ipc_refuse(why, "flows after the last");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_flow_opened(const struct ipc_flow_opened *msg, const char **why)
{
	if (!ipc_is_flag(msg->is_kept))
		return ipc_refuse(why, "flag neither 0 nor 1");
	/* Any number is legal: the worker compares it with its questions. */
	if (!ipc_is_inaddr(&msg->to))
		return ipc_refuse(why, "to");
	if (msg->to_scope_id != 0 && !inaddr_is_link_local6(&msg->to))
		return ipc_refuse(why, "to_scope_id");
	if (!ipc_is_zero(msg->reserved, sizeof(msg->reserved)))
		return ipc_refuse(why, "reserved");
	return ipc_check_zeros(msg->reserved2, sizeof(msg->reserved2), "reserved2", why);
}

int
ipc_validate_flow_answers(const struct ipc_flow_answers *msg, const char **why)
{
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_flow_refused(const struct ipc_flow_refused *msg, const char **why)
{
	if (!ipc_is_errno(msg->error))
		return ipc_refuse(why, "error");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}
