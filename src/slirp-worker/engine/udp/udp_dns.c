/* SPDX-License-Identifier: BSD-2-Clause */
/* Exchanges the guest's DNS messages with the resolver. */
#include "slirp-worker/engine/udp/udp_dns.h"

#include <string.h>

#include "ipc/dispatch.h"
#include "slirp-worker/engine/udp/udp_parts.h"

/* Answers for each wait, as from a socket. */
#define RECEIVE_MAX UDP_READS_MAX

#define DECLARE(...) IPC_DECLARE_HANDLER(udp_host, struct udp_host, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(udp_host, host, msg, __VA_ARGS__)
IPC_ROWS_RESOLVER_TO_SLIRP_WORKER(DECLARE)

static struct udp_asker *
place_of(struct udp_dns *dns, uint64_t number)
{
	return &dns->askers[number % UDP_DNS_ASKERS_MAX];
}

bool
udp_dns_ask(struct udp_dns *dns, const struct udp_asker *asker, const uint8_t *data,
    size_t len)
{
	struct ipc_dns_query query = { .number = dns->n_asked + 1, .len = (uint16_t)len };
	struct udp_asker *place = place_of(dns, query.number);

	if (dns->channel->fd == -1 || len < IPC_DNS_LEN_MIN || len > sizeof(query.bytes))
		return false;
	memcpy(query.bytes, data, len);
	if (ipc_send_dns_query(dns->channel, &query) == -1)
		return false;
	dns->n_asked++;
	*place = *asker;
	place->number = query.number;
	return true;
}

void
udp_host_on_dns_answer(struct udp_host *host, const struct ipc_dns_answer *msg)
{
	static uint8_t frame[UDP_DATA_OFFSET + IPC_DNS_ANSWER_MAX];
	struct udp_asker *asker = place_of(&host->dns, msg->number);
	struct udp_heads heads = {
		.src = flow_key_peer(&asker->key),
		.dst = flow_key_guest(&asker->key),
		.src_port = asker->key.peer_port,
		.dst_port = asker->key.guest_port,
		.src_mac = asker->our_mac,
		.dst_mac = asker->guest_mac,
		.ttl = UDP_OWN_TTL,
		.data_len = msg->len,
	};

	/* An answer that comes late finds nobody. */
	if (msg->number == 0 || asker->number != msg->number)
		return;
	asker->number = 0;
	memcpy(frame + UDP_DATA_OFFSET, msg->bytes, msg->len);
	udp_frame_send(host, &heads, frame + UDP_DATA_OFFSET);
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct udp_host *host = ctx;

	switch (msg->id) {
		IPC_ROWS_RESOLVER_TO_SLIRP_WORKER(CALL)
	default:
		break;
	}
	return true;
}

enum serve_end
udp_dns_receive(struct udp_host *host, struct serve_violation *violation)
{
	static const struct serve from_resolver = { .take = take };

	return serve_receive(host->dns.channel, RECEIVE_MAX, &from_resolver, host,
	    violation);
}
