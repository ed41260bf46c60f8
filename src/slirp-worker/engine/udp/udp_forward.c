/* SPDX-License-Identifier: BSD-2-Clause */
/* Begins and ends the use of the ports of UDP forwards, and finds the guest's MAC for them. */
#include "slirp-worker/engine/udp/udp_forward.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "slirp-worker/engine/forward/peer.h"
#include "slirp-worker/engine/udp/udp_parts.h"

/* Datagrams that a port of a silent guest drops at a time: about those of a full buffer of
 * a socket (net.core.rmem_default, with short datagrams). */
#define DROPS_MAX 256

bool
udp_forward_open(struct udp_host *host, struct port *port)
{
	return udp_ports_begin(&host->ports, port, host->now_ms);
}

void
udp_forward_close(struct udp_host *host, struct port *port)
{
	uint16_t host_port = inaddr_sock_port(&port->host);
	struct flow_key end =
	    flow_key_udp(port->guest.is_ipv6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4,
		port->guest.bytes, port->guest_port, 0);

	udp_ports_end(&host->ports, port);
	udp_end_peers(&host->udp, port_table_place(host->ports.table, port) + 1);
	/* Flows that the guest opened from the port have it on the host too, and would keep it
	 * from others. */
	udp_end_flows_from(&host->udp, &end, host_port);
}

void
udp_forward_ask(struct udp_host *host, const struct inaddr *guest)
{
	uint8_t request[NEIGH_REQUEST_MAX];
	size_t len = peer_write_request(&host->network, guest, request);

	host->wrote_frame(host->ctx, tapio_write(host->tap, request, len), len);
}

/* Nobody has the guest's address: what waits is lost, as behind any router. */
static void
drop_waiting(const struct port *port)
{
	char byte;

	for (int i = 0; i < DROPS_MAX; i++)
		if (recvfrom(port->fd, &byte, sizeof(byte), MSG_DONTWAIT, NULL, NULL) ==
		    -1)
			return;
}

/* A range of ports leads to one address: whoever tries all of them must not flood the guest
 * with requests. One is for all ports that wait for it. */
static void
ask_for_port(struct udp_host *host, struct port *port, uint64_t now_ms)
{
	struct udp_ports *ports = &host->ports;

	if (ports->asked_ms == 0 || now_ms - ports->asked_ms >= UDP_PORT_ASK_MS ||
	    !inaddr_is_equal(&ports->asked, &port->guest)) {
		udp_forward_ask(host, &port->guest);
		ports->asked = port->guest;
		ports->asked_ms = now_ms;
	}
	port->n_asked++;
	port->due_ms = now_ms + UDP_PORT_ASK_MS;
}

void
udp_forward_serve(struct udp_host *host, uint64_t now_ms)
{
	struct port *port = TAILQ_FIRST(&host->ports.waiting), *next;
	const struct inaddr *guest = NULL; /* whose MAC was looked up last */
	bool is_known = false;

	for (; port != NULL; port = next) {
		struct mac mac;

		next = TAILQ_NEXT(port, entry);
		if (guest == NULL || !inaddr_is_equal(guest, &port->guest))
			is_known = neigh_find(host->neigh, &port->guest, now_ms, &mac);
		guest = &port->guest;
		if (is_known) {
			udp_port_go_on(&host->ports, port);
		} else if (now_ms < port->due_ms) {
			continue;
		} else if (port->n_asked == UDP_PORT_ASKS) {
			drop_waiting(port);
			udp_port_go_on(&host->ports, port);
		} else {
			ask_for_port(host, port, now_ms);
		}
	}
}
