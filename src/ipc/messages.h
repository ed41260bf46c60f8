/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All messages between processes: one list of rows for each arrow (roles.h). The payloads
 * are in msg_*.h by subject. A payload is a struct of fixed size: no pointers, no holes
 * (-Wpadded is an error there), reserved bytes zero. The rows generate the message
 * numbers, the table in describe.c, the send functions, the receive checks, the handlers'
 * prototypes, the tests in tests/ipc and the fuzz seeds. The hash of this file and of all
 * that it includes is the protocol's version: both ends compare it first.
 *
 * Both ends are of the same build on the same machine. Numbers are in host order unless a
 * name ends in _be.
 */
#pragma once

#include <stdint.h>

#include "ipc/msg_cgroup.h"
#include "ipc/msg_dns.h"
#include "ipc/msg_flows.h"
#include "ipc/msg_forwards.h"
#include "ipc/msg_jail.h"
#include "ipc/msg_observe.h"
#include "ipc/msg_policy.h"
#include "ipc/msg_spawn.h"
#include "ipc/msg_start.h"
#include "ipc/roles.h"

/* One log line. Equal to LOG_TEXT_SIZE; describe.c asserts it. */
#define IPC_LOG_TEXT_SIZE 480

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct ipc_hello {
	uint64_t protocol_hash;
	uint32_t role; /* enum ipc_role of the sender */
	uint32_t reserved;
};

struct ipc_log {
	uint8_t level; /* enum log_level */
	uint8_t reserved[7];
	char text[IPC_LOG_TEXT_SIZE]; /* NUL-terminated, zeros after it */
};

#pragma GCC diagnostic pop

/*
 * When a message is legal. hello is the first and comes once. ANYTIME: after hello. ONCE:
 * once in a channel. RUNNING: after the receiver has called ipc_channel_set_running().
 * REPLY: only while the receiver waits for a reply.
 *
 * ROW(name, carries, when, meaning). carries: PAYLOAD (struct ipc_<name>), FD (a
 * descriptor), PAYLOAD_FD or NOTHING.
 */

/* Text for the rows that carry a payload. */
#define IPC_IF_PAYLOAD_NOTHING(...)
#define IPC_IF_PAYLOAD_FD(...)
#define IPC_IF_PAYLOAD_PAYLOAD(...) __VA_ARGS__
#define IPC_IF_PAYLOAD_PAYLOAD_FD(...) __VA_ARGS__

/* The number of descriptors. */
#define IPC_N_FDS_NOTHING 0
#define IPC_N_FDS_FD 1
#define IPC_N_FDS_PAYLOAD 0
#define IPC_N_FDS_PAYLOAD_FD 1

/* clang-format off */
#define IPC_ROWS_BOTH_WAYS(ROW) \
	ROW(hello, PAYLOAD, ONCE, "the sender's role and protocol version")

#define IPC_ROWS_CHILD_TO_PARENT(ROW) \
	ROW(log, PAYLOAD, ANYTIME, "a line for the log") \
	ROW(confined, PAYLOAD, ONCE, "the stages that the sender's jail has reached")

#define IPC_ROWS_PARENT_TO_CHILD(ROW) \
	ROW(confine, PAYLOAD, ONCE, "how much of a jail to make; the first after hello")

#define IPC_ROWS_PARENT_TO_NETNS_HELPER(ROW) \
	ROW(join_userns, PAYLOAD_FD, ONCE, "join this user namespace before the network namespace") \
	ROW(make_tap, PAYLOAD_FD, ONCE, "join this network namespace, make the TAP, answer tap_made") \
	ROW(inspect_tap, PAYLOAD_FD, ONCE, "instead of make_tap: check this inherited TAP, answer tap_made")

#define IPC_ROWS_NETNS_HELPER_TO_PARENT(ROW) \
	ROW(tap_made, PAYLOAD_FD, REPLY, "the TAP's descriptor; the helper ends after it")

#define IPC_ROWS_PARENT_TO_JAILED(ROW) \
	ROW(fallback_userns, FD, ONCE, "if no user namespace can be made, join this one") \
	ROW(peer, PAYLOAD_FD, RUNNING, "a channel to the process of this role; it replaces the one before") \
	ROW(ping, NOTHING, RUNNING, "answer with pong")

#define IPC_ROWS_JAILED_TO_PARENT(ROW) \
	ROW(pong, NOTHING, REPLY, "the sender goes on with its loop")

#define IPC_ROWS_PARENT_TO_SERVER_USERS(ROW) \
	ROW(nameservers, PAYLOAD, RUNNING, "the host's name servers, for the guest's DNS") \
	ROW(host_addrs, PAYLOAD, RUNNING, "the addresses of the host's interfaces, for class host of the policy")

#define IPC_ROWS_SOCKET_MAKERS_TO_PARENT(ROW) \
	ROW(peer_dropped, PAYLOAD, RUNNING, "the peer broke the protocol, and its channel was closed") \
	ROW(peer_missed, PAYLOAD, RUNNING, "a channel came without its descriptor, for which the sender has no room: make it again later")

#define IPC_ROWS_PARENT_TO_SLIRP_WORKER(ROW) \
	ROW(start, PAYLOAD_FD, ONCE, "carry packets between this TAP or socket and the host, answer ready") \
	ROW(get_stats, NOTHING, RUNNING, "answer with stats")

#define IPC_ROWS_SLIRP_WORKER_TO_PARENT(ROW) \
	ROW(about, PAYLOAD, ONCE, "the version of libslirp; sent once without a request") \
	ROW(ready, NOTHING, REPLY, "packets flow from now on") \
	ROW(tap_gone, PAYLOAD, ONCE, "the TAP is gone for good; the worker only waits for its end") \
	ROW(stats, PAYLOAD, REPLY, "all counters")

#define IPC_ROWS_PARENT_TO_POLICY_READER(ROW) \
	ROW(policy_inline, PAYLOAD, ANYTIME, "parse this text") \
	ROW(policy_file, PAYLOAD_FD, ANYTIME, "parse the text of this file") \
	ROW(policy_read, PAYLOAD, ANYTIME, "all texts have come: check them, answer with the rows or policy_said, end")

#define IPC_ROWS_POLICY_READER_TO_PARENT(ROW) \
	ROW(policy_reader_ready, NOTHING, REPLY, "texts are parsed from now on") \
	ROW(policy_said, PAYLOAD, ANYTIME, "an error of a text, or a remark on a rule")

#define IPC_ROWS_POLICY(ROW) \
	ROW(policy_begin, PAYLOAD, RUNNING, "the settings of a new policy; its rows follow") \
	ROW(policy_source, PAYLOAD, RUNNING, "the name of a text") \
	ROW(policy_rules, PAYLOAD, RUNNING, "some of the rules") \
	ROW(policy_prefixes, PAYLOAD, RUNNING, "some networks of the rules that have come") \
	ROW(policy_names, PAYLOAD, RUNNING, "some names of the rules that have come") \
	ROW(policy_commit, PAYLOAD, RUNNING, "the policy is complete; the connector answers policy_committed, the resolver policy_known")

#define IPC_ROWS_PARENT_TO_CONNECTOR(ROW) \
	ROW(connector_start, PAYLOAD, ONCE, "make sockets for the others, answer connector_ready") \
	ROW(outbound, PAYLOAD, RUNNING, "the source addresses of new connections") \
	ROW(guest_addr6, PAYLOAD, ONCE, "the guest's own IPv6 address, once there is a TAP") \
	ROW(publish, PAYLOAD, RUNNING, "add this forward of the command line, answer published") \
	ROW(table_dropped, NOTHING, REPLY, "the parent has closed the sockets of the forward of table_removed") \
	ROW(kept_forward, PAYLOAD, RUNNING, "a forward of the connector before; its ports follow") \
	ROW(kept_port, PAYLOAD_FD, RUNNING, "a socket of it, as table_port has brought it") \
	ROW(kept_end, PAYLOAD, RUNNING, "all forwards of the connector before have come")

#define IPC_ROWS_CONNECTOR_TO_PARENT(ROW) \
	ROW(policy_committed, PAYLOAD, REPLY, "this policy is in force") \
	ROW(connector_ready, NOTHING, REPLY, "sockets are made from now on") \
	ROW(published, PAYLOAD, REPLY, "the outcome of publish") \
	ROW(table_port, PAYLOAD_FD, ANYTIME, "a socket of the forward that table_added names next; the parent keeps it for the next connector") \
	ROW(table_added, PAYLOAD, RUNNING, "a forward was added, for the parent's copy") \
	ROW(table_removed, PAYLOAD, RUNNING, "a forward ends: forget it and close its sockets, answer table_dropped")

#define IPC_ROWS_SLIRP_WORKER_TO_CONNECTOR(ROW) \
	ROW(flow_open, PAYLOAD, ANYTIME, "make a socket that connects to this address, answer flow_opened or flow_refused") \
	ROW(reply_open, PAYLOAD, ANYTIME, "make a UDP socket of this port of a forward that leads to this peer, answer as to flow_open") \
	ROW(flow_closed, PAYLOAD, ANYTIME, "the worker has closed the sockets of these flows") \
	ROW(listener_wanted, PAYLOAD, ANYTIME, "send this listener again: there was no descriptor for it") \
	ROW(listener_closed, PAYLOAD, ANYTIME, "the answer to listener_gone: the worker has closed its duplicate")

#define IPC_ROWS_CONNECTOR_TO_SLIRP_WORKER(ROW) \
	ROW(flow_answers, PAYLOAD_FD, ANYTIME, "the socket for the answers of a group; flow_opened follows") \
	ROW(flow_opened, PAYLOAD_FD, ANYTIME, "the socket, which connects; answers come in the order of the questions") \
	ROW(flow_refused, PAYLOAD, ANYTIME, "the request for a socket was refused, with the error") \
	ROW(listener, PAYLOAD_FD, ANYTIME, "a port of a forward: a socket that listens, or that is bound") \
	ROW(listener_gone, PAYLOAD, ANYTIME, "the port was closed, answer listener_closed") \
	ROW(listeners_told, NOTHING, ANYTIME, "all ports have come; close those that only the connector before has sent")

#define IPC_ROWS_PARENT_TO_RESOLVER(ROW) \
	ROW(resolver_start, PAYLOAD, ONCE, "ask these name servers, answer resolver_ready")

#define IPC_ROWS_RESOLVER_TO_PARENT(ROW) \
	ROW(resolver_ready, NOTHING, REPLY, "names are resolved from now on") \
	ROW(policy_known, PAYLOAD, REPLY, "names are judged by this policy from now on")

#define IPC_ROWS_SLIRP_WORKER_TO_RESOLVER(ROW) \
	ROW(dns_query, PAYLOAD, ANYTIME, "a DNS message of the guest, answer dns_answer if there is one")

#define IPC_ROWS_RESOLVER_TO_SLIRP_WORKER(ROW) \
	ROW(dns_answer, PAYLOAD, ANYTIME, "a DNS message for the guest")

#define IPC_ROWS_RESOLVER_TO_CONNECTOR(ROW) \
	ROW(dns_open, PAYLOAD, ANYTIME, "make a socket that leads to this name server, answer dns_opened or dns_refused") \
	ROW(dns_pin, PAYLOAD, ANYTIME, "a name of these patterns leads to these addresses, answer dns_pinned") \
	ROW(dns_refusal, PAYLOAD, ANYTIME, "the policy has refused queries, or would in mode audit")

#define IPC_ROWS_CONNECTOR_TO_RESOLVER(ROW) \
	ROW(dns_opened, PAYLOAD_FD, ANYTIME, "the socket; answers come in the order of the questions") \
	ROW(dns_refused, PAYLOAD, ANYTIME, "the request for a socket was refused, with the error") \
	ROW(dns_client, FD, ANYTIME, "a connection of the guest to the name server's address") \
	ROW(dns_pinned, PAYLOAD, ANYTIME, "the guest may connect to the addresses of dns_pin now")

#define IPC_ROWS_PARENT_TO_SPAWNER(ROW) \
	ROW(program, PAYLOAD_FD, ANYTIME, "the program file of this role; comes before spawn") \
	ROW(spawn, PAYLOAD_FD, RUNNING, "start this role with this channel to the parent, answer spawned")

#define IPC_ROWS_SPAWNER_TO_PARENT(ROW) \
	ROW(spawned, PAYLOAD, REPLY, "the PID of the new process, a child of the parent, or the error")

#define IPC_ROWS_PARENT_TO_API(ROW) \
	ROW(listen, PAYLOAD_FD, ONCE, "serve the clients of this listening socket, answer api_ready") \
	ROW(status, PAYLOAD, REPLY, "the answer to get_status") \
	ROW(policy_changed, PAYLOAD, REPLY, "the new policy is in force, or the reason for the refusal") \
	ROW(event, PAYLOAD, RUNNING, "an event for the sessions that subscribed")

#define IPC_ROWS_API_TO_PARENT(ROW) \
	ROW(api_ready, NOTHING, REPLY, "clients are served from now on") \
	ROW(get_status, PAYLOAD, RUNNING, "answer with status") \
	ROW(change_policy, PAYLOAD, RUNNING, "put the policy in force whose rows have come, answer policy_changed")

#define IPC_ROWS_API_TO_CONNECTOR(ROW) \
	ROW(add_forward, PAYLOAD, ANYTIME, "add a forward, answer forward_added") \
	ROW(remove_forward, PAYLOAD, ANYTIME, "remove a forward, answer forward_removed") \
	ROW(list_forwards, PAYLOAD, ANYTIME, "answer with a forwards_page") \
	ROW(query_policy, PAYLOAD, ANYTIME, "answer with policy_state") \
	ROW(list_hits, PAYLOAD, ANYTIME, "answer with a hits_page") \
	ROW(list_pins, PAYLOAD, ANYTIME, "answer with a pins_page") \
	ROW(check_flow, PAYLOAD, ANYTIME, "answer with flow_verdict") \
	ROW(list_denied, PAYLOAD, ANYTIME, "answer with a denied_page")

#define IPC_ROWS_CONNECTOR_TO_API(ROW) \
	ROW(forward_added, PAYLOAD, REPLY, "the new forward's id, or the reason for the refusal") \
	ROW(forward_removed, PAYLOAD, REPLY, "the removed forward, or the reason for the refusal") \
	ROW(forwards_page, PAYLOAD, REPLY, "some of the forwards") \
	ROW(policy_state, PAYLOAD, REPLY, "counts of the policy in force") \
	ROW(hits_page, PAYLOAD, REPLY, "how often some of the rules have decided") \
	ROW(pins_page, PAYLOAD, REPLY, "some of the addresses of names") \
	ROW(flow_verdict, PAYLOAD, REPLY, "whether the policy in force allows the flow") \
	ROW(denied_page, PAYLOAD, REPLY, "some of the destinations and names that the policy has denied")

#define IPC_ROWS_API_TO_SLIRP_WORKER(ROW) \
	ROW(query_worker, PAYLOAD, ANYTIME, "answer with worker_state") \
	ROW(list_connections, PAYLOAD, ANYTIME, "answer with a connections_page")

#define IPC_ROWS_SLIRP_WORKER_TO_API(ROW) \
	ROW(worker_state, PAYLOAD, REPLY, "counters and numbers of sockets") \
	ROW(connections_page, PAYLOAD, REPLY, "some of the connections")

#define IPC_ROWS_PARENT_TO_CGROUP_MOVER(ROW) \
	ROW(cgroup_follow, PAYLOAD, RUNNING, "move these processes into this control group")

#define IPC_ROWS_CGROUP_MOVER_TO_PARENT(ROW) \
	ROW(cgroup_ready, NOTHING, REPLY, "processes can be moved from now on; sent once after its jail")

/* All rows, in the order of the arrows (roles.h). */
#define IPC_ALL_ROWS(ROW) IPC_ARROWS(IPC_ROWS_OF_ARROW, ROW)
#define IPC_ROWS_OF_ARROW(arrow, senders, receivers, ROW) IPC_ROWS_##arrow(ROW)
/* clang-format on */
