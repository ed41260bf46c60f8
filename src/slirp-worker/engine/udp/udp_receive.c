/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the sockets of UDP flows, and the ports of forwards. */
#include "slirp-worker/engine/udp/udp_parts.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "slirp-worker/engine/forward/peer.h"
#include "slirp-worker/engine/udp/udp_forward.h"
#include "slirp-worker/engine/gateway.h"

/* A guest whose MAC is in doubt is asked again after this time. */
#define MAC_ASK_MS 1000

/* As many datagrams that wait at a socket are a stream: half of those that a call takes. */
#define JOIN_AFTER (UDP_READS_MAX / 2)

/* How the guest sees the sender of an answer to a group: by its own address, or as the
 * gateway if it can't answer that. */
static struct inaddr
show_sender(const struct udp_host *host, const struct inaddr *sender)
{
	const struct peer_incoming incoming = { .peer = *sender,
		.guest.is_ipv6 = sender->is_ipv6 };

	return peer_is_reachable(&host->network, &incoming)
	    ? *sender
	    : gateway_addr(&host->network, sender->is_ipv6);
}

/* The source of a datagram as the guest sees it. False if it is not for the guest: it came
 * before the socket was connected. */
static bool
find_source(const struct udp_host *host, const struct udp_flow *flow,
    const union inaddr_sock *from, struct udp_heads *heads)
{
	const struct flow_key *key = &flow->link.key;
	bool is_ip6 = udp_is_ip6(flow);
	uint32_t peer_be;

	heads->src_port = inaddr_sock_port(from);
	if (!inaddr_from_sockaddr(&heads->src, &from->any))
		return false;
	if (flow->is_group) {
		heads->src = show_sender(host, &heads->src);
		return true;
	}
	if (!inaddr_sock_is_equal(from, &flow->to))
		return false;
	heads->src = flow_key_peer(key);
	heads->src_port = key->peer_port;
	memcpy(&peer_be, key->peer_address, sizeof(peer_be));
	/* A broadcast can't be a source. */
	if (!is_ip6 && (peer_be | host->network.netmask_be) == INADDR_BROADCAST &&
	    !udp_leads_to_its_peer(flow))
		heads->src = inaddr_from4(host->network.host_be);
	return true;
}

/* Frames to a guest that only listens go on to its MAC when that changes. */
static void
confirm_mac(struct udp_host *host, struct udp_flow *flow)
{
	const struct inaddr guest = flow_key_guest(&flow->link.key);
	struct mac mac;

	if (flow->port == 0 || host->now_ms - flow->mac_ms < NEIGH_LIFE_MS)
		return;
	if (neigh_find(host->neigh, &guest, host->now_ms, &mac)) {
		memcpy(flow->guest_mac, mac.octets, sizeof(flow->guest_mac));
		flow->mac_ms = host->now_ms;
		return;
	}
	udp_forward_ask(host, &guest);
	flow->mac_ms += MAC_ASK_MS;
}

/* Has the guest get what was read for the flow, by udp_frame_end() at the latest. */
static void
give_to_guest(struct udp_host *host, struct udp_flow *flow, const struct udp_read *read)
{
	const struct flow_key *key = &flow->link.key;
	const struct mac own_mac = gateway_mac(&host->network, udp_is_ip6(flow));
	struct udp_heads heads = {
		.dst = flow_key_guest(key),
		.dst_port = key->guest_port,
		/* A group's or broadcast's address is nobody's: bridges drop such a source. */
		.src_mac = flow->our_mac[0] & 1 ? own_mac.octets : flow->our_mac,
		.dst_mac = flow->guest_mac,
		.ttl = read->ttl,
		.tos = read->tos,
	};

	if (!find_source(host, flow, read->from, &heads))
		return;
	/* This worker is a router on the way. A datagram that has come so far arrives. */
	if (heads.ttl > 1 && udp_leads_to_its_peer(flow))
		heads.ttl--;
	udp_to_guest(&host->udp, flow, read->len, host->now_ms);
	confirm_mac(host, flow);
	udp_frame_add(host, &heads, read);
}

/* The flow of a peer. The guest sees the peer by its own address, or as the gateway with
 * the first port that no other flow has. NULL: none is free, there is no socket, or nobody can answer
 * the peer: the connector makes no socket for it. */
static struct udp_flow *
find_peer(struct udp_host *host, const struct port *port, const union inaddr_sock *from,
    const union inaddr_sock *own)
{
	uint32_t number = port_table_place(host->ports.table, port) + 1;
	struct peer_incoming incoming = { .guest = port->guest,
		.guest_port = port->guest_port };

	peer_take(&incoming, from);
	if (!inaddr_is_of_a_host(&incoming.peer))
		return NULL;
	for (unsigned int i = 0; i < PEER_KEYS; i++) {
		struct flow_key key = peer_key(&host->network, &incoming, i);
		struct udp_flow *flow;

		key.protocol = IPPROTO_UDP;
		flow = flow_table_find(&host->udp.flows, &key);
		if (flow == NULL)
			return udp_add_peer(&host->udp, &key, from, own, number,
			    host->now_ms);
		if (flow->port == number && inaddr_sock_is_equal(&flow->to, from))
			return flow;
	}
	return NULL;
}

/* The address of the host that a peer has asked (ip(7), IP_PKTINFO; ipv6(7)). */
static void
read_asked_address(struct msghdr *msg, const struct port *port, union inaddr_sock *own)
{
	*own = port->host;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(msg); header;
	     header = CMSG_NXTHDR(msg, header)) {
		if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
			const struct in_pktinfo *info = (const void *)CMSG_DATA(header);

			/* Not ipi_addr, which can be a broadcast. */
			own->in.sin_addr = info->ipi_spec_dst;
		}
		if (header->cmsg_level == IPPROTO_IPV6 &&
		    header->cmsg_type == IPV6_PKTINFO) {
			const struct in6_pktinfo *info = (const void *)CMSG_DATA(header);

			if (info->ipi6_addr.s6_addr[0] == 0xff)
				continue;
			own->in6.sin6_addr = info->ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
				own->in6.sin6_scope_id = info->ipi6_ifindex;
		}
	}
}

/* The port of a forward to which a datagram came that the kernel has given to another socket
 * of the same port. NULL: it is the flow's. A peer's socket gets some between bind(2) and
 * connect(2), because its address is more exact. The socket of the guest's flow to a group
 * is never connected, and shares all new peers with the port's. */
static const struct port *
port_of_stray(const struct udp_host *host, const struct udp_flow *flow,
    const union inaddr_sock *from)
{
	const struct port *port;

	if (flow->port != 0)
		return inaddr_sock_is_equal(from, &flow->to)
		    ? NULL
		    : &host->ports.table->places[flow->port - 1];
	port = flow->is_group ? udp_port_to_guest(&host->ports, &flow->link.key) : NULL;
	return port != NULL && inaddr_sock_port(&port->host) == flow->own_port ? port
									       : NULL;
}

/* A new peer's datagram that another flow's socket got. May end that flow. */
static void
take_stray(struct udp_host *host, const struct udp_flow *flow, const struct port *port,
    const struct udp_read *read)
{
	const struct udp_flow other = *flow;
	union inaddr_sock own = other.own;
	struct udp_flow *stray;

	if (other.is_group)
		read_asked_address(read->msg, port, &own);
	stray = find_peer(host, port, read->from, &own);
	if (stray == NULL)
		return;
	memcpy(stray->guest_mac, other.guest_mac, sizeof(stray->guest_mac));
	memcpy(stray->our_mac, other.our_mac, sizeof(stray->our_mac));
	stray->mac_ms = other.mac_ms;
	give_to_guest(host, stray, read);
}

/* Has the kernel join datagrams of one length before they are read (udp(7), UDP_GRO): those
 * of a stream cost it less. A flow of a few datagrams does without the call. */
static void
join(struct udp_flow *flow, int fd)
{
	udp_set_option(fd, SOL_UDP, UDP_GRO, 1);
	flow->is_joined = true;
}

void
udp_take_datagrams(struct udp_host *host, uint32_t index, uint32_t generation)
{
	struct udp_flow *flow = udp_at(&host->udp, index, generation);
	/* Nobody sends from the address of a group. */
	int fd = flow == NULL ? -1 : flow->is_group ? flow->answers_fd : flow->fd;
	unsigned int n = fd == -1 ? 0 : udp_read_all(fd);

	if (n >= JOIN_AFTER && !flow->is_joined)
		join(flow, fd);
	for (unsigned int i = 0; i < n; i++) {
		const struct udp_read read = udp_read_at(i);
		const struct port *port;

		flow = udp_at(&host->udp, index, generation);
		if (flow == NULL)
			break;
		port = port_of_stray(host, flow, read.from);
		if (port != NULL)
			take_stray(host, flow, port, &read);
		else
			give_to_guest(host, flow, &read);
	}
	udp_frame_end(host);
}

/* --- forwards ------------------------------------------------------------------------- */

static void
take_new_peer(struct udp_host *host, const struct port *port, const struct mac *mac,
    const struct udp_read *read)
{
	const struct mac our_mac = gateway_mac(&host->network, port->guest.is_ipv6);
	union inaddr_sock own;
	struct udp_flow *flow;

	read_asked_address(read->msg, port, &own);
	flow = find_peer(host, port, read->from, &own);
	if (flow == NULL)
		return;
	memcpy(flow->guest_mac, mac->octets, sizeof(flow->guest_mac));
	memcpy(flow->our_mac, our_mac.octets, sizeof(flow->our_mac));
	flow->mac_ms = host->now_ms;
	give_to_guest(host, flow, read);
}

void
udp_take_new_peers(struct udp_host *host, struct port *port)
{
	struct mac mac;
	unsigned int n;

	if (!neigh_find(host->neigh, &port->guest, host->now_ms, &mac)) {
		udp_port_wait(&host->ports, port, host->now_ms);
		return;
	}
	n = udp_read_all(port->fd);
	for (unsigned int i = 0; i < n; i++) {
		const struct udp_read read = udp_read_at(i);

		take_new_peer(host, port, &mac, &read);
	}
	udp_frame_end(host);
}
