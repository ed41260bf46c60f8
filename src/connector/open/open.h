/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes sockets. They do not wait. */
#pragma once

#include <stdbool.h>

#include "base/inaddr.h"
#include "ipc/messages.h"

/* Sets an option that the socket must have. It cannot fail on a socket of the protocol and
 * family. */
void open_set_option(int fd, int level, int name, int value);

/* Binds to the outbound address of the family, if there is one. Returns 0, or -1 with errno set. */
int open_bind_outbound(int fd, const struct ipc_outbound *outbound, bool is_ipv6);

/* Has the kernel queue ICMP errors (ip(7), IP_RECVERR). */
void open_report_errors(int fd, bool is_ipv6);

/* Returns a socket that connects, or has connected, to this address; the caller owns it. -1
 * with errno set. */
int open_tcp(const union inaddr_sock *to, const struct ipc_outbound *outbound);

/* Returns a ping socket (icmp(7)) that is connected to this address, as open_tcp(). */
int open_ping(const union inaddr_sock *to, const struct ipc_outbound *outbound);

/* The properties of a UDP flow's sockets. */
struct open_udp {
	const union inaddr_sock *to;
	const struct ipc_outbound *outbound;
	uint16_t port; /* wanted source port; 0: any */
	/* ip(7): the sending host's members of a multicast group also receive what a socket
	 * sends. If the host's loopback is closed, a guest must not reach the host's services
	 * in this way; the datagrams still go out. */
	bool loops_groups;
};

/* The caller owns the descriptors. */
struct open_udp_made {
	int fd;         /* connected */
	int answers_fd; /* to a group: bound to the same port, and not connected; or -1 */
	uint16_t port;
};

/* Returns a UDP socket of this address and port, which others of the user share, that is connected
 * to this peer, as open_tcp(). */
int open_reply(const union inaddr_sock *own, const union inaddr_sock *peer);

/* Returns 0, or -1 with errno set. If another program has the wanted port, any port is taken. */
int open_udp(const struct open_udp *wanted, struct open_udp_made *made);

/* A UDP socket to a name server; as open_tcp(). */
int open_dns(const union inaddr_sock *to, const struct ipc_outbound *outbound);

/* Ends the use of a flow's socket, for all its duplicates: nothing is sent or received any more. What TCP
 * has sent still reaches the peer, unless is_reset, or the worker has asked for a reset by SO_LINGER. */
void open_end(int fd, uint8_t proto, bool is_reset);

/* --- forwards ------------------------------------------------------------------------- */

/* The queue of a listening socket: Linux's default limit (net.core.somaxconn since 5.4). */
#define OPEN_BACKLOG 4096

/* Returns a socket that listens at the address and port, owned by the caller; -1 with errno
 * set. The connections that are accepted from it have its options. */
int open_listening_tcp(const struct inaddr *addr, uint16_t port);

/*
 * Returns a socket that is bound to the address and port, owned by the caller; -1 with errno
 * set. shares: another socket of ours is still bound to the port, and will be closed.
 * keeps_groups_off: members of a group on this host do not receive what is sent to it.
 */
int open_bound_udp(const struct inaddr *addr, uint16_t port, bool shares,
    bool keeps_groups_off);

/* Ends the use of a socket that one of the two functions has made for the address and port, for all
 * its duplicates. The port can be opened again. */
void open_make_useless(int fd, uint8_t proto, const struct inaddr *addr, uint16_t port);
