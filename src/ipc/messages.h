/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All messages between processes. A payload is a struct of fixed size: no pointers, no
 * holes (-Wpadded is an error here), reserved bytes zero. After the payloads comes one
 * list of rows for each arrow (roles.h). The rows generate the message numbers, the table
 * in describe.c, the send functions, the receive checks, the handlers' prototypes, the
 * tests in tests/ipc and the fuzz seeds. The hash of this file is the protocol's version:
 * both ends compare it first.
 *
 * Both ends are of the same build on the same machine. Numbers are in host order unless a
 * name ends in _be.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "base/inaddr.h"
#include "base/mac.h"
#include "ipc/drop_reasons.h"
#include "ipc/roles.h"

/* An Ethernet interface's name with its NUL: IFNAMSIZ, linux/if.h. */
#define IPC_IFNAME_SIZE 16
/* The beginning of a path, for error texts. The rest of a log line still fits. */
#define IPC_LABEL_SIZE 256
/* One log line. Equal to LOG_TEXT_SIZE; describe.c asserts it. */
#define IPC_LOG_TEXT_SIZE 480
/* tun_pi (4 bytes) and virtio_net_hdr_mrg_rxbuf (12): a TAP has no longer header. */
#define IPC_TAP_HEADER_MAX 16
/* struct virtio_net_hdr without the members of later kinds of devices. */
#define IPC_TAP_OFFLOAD_HEADER_LEN 10
/* "4.7.0", "4.9.5-git-abcdef": longer than any libslirp_version_string so far. */
#define IPC_VERSION_SIZE 32

/* A message's name and a reason: "API channel: get_stats: reply that nobody awaits". */
#define IPC_WHY_SIZE 128
/* Entries of a list in one message. The message stays below 2 KiB (describe.c asserts
 * it), so a queue of any legal size holds several. */
#define IPC_PAGE_ENTRIES 28

/* clang-format off */
/* Counters of the worker beside the drops: name, meaning. They count from its start. */
#define IPC_COUNTERS(COUNTER) \
	COUNTER(frames_from_guest, "frames read from the TAP") \
	COUNTER(bytes_from_guest, "bytes read from the TAP") \
	COUNTER(frames_to_guest, "frames written to the TAP") \
	COUNTER(bytes_to_guest, "bytes written to the TAP") \
	COUNTER(tap_write_failed, "frames that the TAP did not take") \
	COUNTER(refusals_sent, "resets and unreachables sent in answer to a refused frame") \
	COUNTER(datagrams_reassembled, "datagrams put together from fragments") \
	COUNTER(datagrams_expired, "datagrams whose fragments did not all come in time") \
	COUNTER(datagrams_evicted, "unfinished datagrams that gave way to newer ones") \
	COUNTER(datagrams_fragmented, "datagrams cut into fragments towards the guest") \
	COUNTER(oversize_to_guest, "frames from the stack that could not be made to fit the MTU") \
	COUNTER(stack_errors, "errors that libslirp reported about the guest") \
	COUNTER(sockets_not_polled, "times that the poll set was full for a socket")

enum ipc_counter {
#define IPC_COUNTER_ENUM(name, meaning) IPC_COUNTER_##name,
	IPC_COUNTERS(IPC_COUNTER_ENUM)
#undef IPC_COUNTER_ENUM
	IPC_COUNTER_N,
};
/* clang-format on */

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

/* --mtu of slirp4netns(1): the longest IPv4 packet (65535) minus an Ethernet header,
 * which is the most that libslirp can carry. */
#define IPC_MTU_MAX_BYTES 65521

/* With a prefix of 0 no address would be outside the network. The guest's address is
 * network + 100, so a network needs at least 128 addresses. */
#define IPC_PREFIX_LEN_MIN 1
#define IPC_PREFIX_LEN_MAX 25

/* The virtual network. Addresses as in slirp4netns(1): host is network + 2, nameserver +
 * 3, the first DHCP lease + 15, the guest + 100. */
struct ipc_network {
	uint32_t network_be;
	uint32_t netmask_be;
	uint32_t host_be;
	uint32_t nameserver_be;
	uint32_t dhcp_start_be;
	uint32_t guest_be;
	struct in6_addr prefix6; /* of a /64 */
	struct in6_addr host6;
	struct in6_addr nameserver6;
	uint32_t prefix_len; /* of network_be, bits */
	uint32_t mtu_bytes;  /* the longest IP packet of the guest's interface */
	uint8_t enable_ipv6;
	uint8_t enable_dns;
	uint8_t allow_host_loopback;
	uint8_t reserved[5];
};

/* Whether a jail is required. */
enum ipc_jail_mode {
	IPC_JAIL_OFF,
	IPC_JAIL_BEST_EFFORT, /* as far as the system allows; logged */
	IPC_JAIL_REQUIRED,    /* a missing stage is fatal */
	IPC_JAIL_N_MODES,
};

/* clang-format off */
/* The stages of a jail, in their order. */
#define IPC_STAGES(STAGE) \
	STAGE(descriptors, "exactly the role's descriptors") \
	STAGE(namespaces, "namespaces of its own, with no power over others") \
	STAGE(root, "an empty read-only root") \
	STAGE(capabilities, "no capability, and no way to get one") \
	STAGE(limits, "no new privileges, no core, no new process") \
	STAGE(landlock, "no file by its path") \
	STAGE(seccomp, "no system call but those of its policy")

enum ipc_stage {
#define IPC_STAGE_ENUM(name, meaning) IPC_STAGE_##name,
	IPC_STAGES(IPC_STAGE_ENUM)
#undef IPC_STAGE_ENUM
	IPC_STAGE_N,
#define IPC_STAGE_BIT(name) (1U << IPC_STAGE_##name)
};

/* Kinds of namespaces, by their names in /proc/PID/ns. */
#define IPC_NAMESPACES(NAMESPACE) \
	NAMESPACE(user) \
	NAMESPACE(mnt) \
	NAMESPACE(ipc) \
	NAMESPACE(uts) \
	NAMESPACE(cgroup) \
	NAMESPACE(net) \
	NAMESPACE(pid)
/* clang-format on */

/* The namespaces of a process: the inode of /proc/PID/ns/<name>; 0: not known. */
struct ipc_namespaces {
#define IPC_NAMESPACE_ID(name) uint64_t name;
	IPC_NAMESPACES(IPC_NAMESPACE_ID)
#undef IPC_NAMESPACE_ID
};

struct ipc_confine {
	uint8_t sandbox_mode; /* enum ipc_jail_mode, of all stages but seccomp */
	uint8_t seccomp_mode;
	uint8_t has_runas; /* slirpd runs as real root: change to the ids below */
	uint8_t reserved;
	uint32_t runas_uid; /* 0 unless has_runas */
	uint32_t runas_gid;
};

struct ipc_confined {
	uint64_t cap_effective; /* bits as in capabilities(7) */
	uint64_t cap_bounding;
	struct ipc_namespaces namespaces;
	uint32_t stages; /* set of 1 << enum ipc_stage: the stages that were reached */
	uint32_t landlock_abi; /* 0: the kernel has none, or it was not used */
	uint32_t n_calls;      /* system calls in the policy; 0: no filter */
	uint32_t reserved;
};

struct ipc_join_userns {
	char label[IPC_LABEL_SIZE]; /* the path of the descriptor */
};

struct ipc_make_tap {
	struct ipc_network network;
	char netns_label[IPC_LABEL_SIZE]; /* as in join_userns */
	char tap_name[IPC_IFNAME_SIZE];
	struct mac mac; /* zeros unless has_mac */
	uint8_t has_mac;
	uint8_t configure; /* bring lo and the TAP up, with addresses and routes */
};

struct ipc_inspect_tap {
	uint32_t caller_number; /* the descriptor's number in the parent, for messages */
	uint32_t reserved;
};

struct ipc_tap_made {
	/* Bytes before each frame, in both directions: linux/if_tun.h, IFF_NO_PI and
	 * IFF_VNET_HDR. */
	uint32_t header_len;
	/* The header is a virtio_net_hdr of 10 bytes, little-endian, and is used. Either
	 * side may leave checksums to the other. TCP segments of both families may be
	 * longer than the MTU. */
	uint8_t has_offloads;
	uint8_t reserved[3];
};

/* The host addresses of outgoing connections. Without an address, the host's routing
 * chooses. Whether there is an address never changes. */
struct ipc_outbound {
	struct inaddr addr[2]; /* by is_ipv6; zeros unless has_addr[is_ipv6] */
	uint8_t has_addr[2];
};

struct ipc_start {
	struct ipc_network network;
	struct ipc_outbound outbound;
	uint32_t tap_header_len; /* both as in tap_made */
	uint8_t tap_has_offloads;
	/* There is no TAP. The descriptor is a listening SOCK_SEQPACKET socket, and each
	 * message of its client is a frame. */
	uint8_t is_bess;
	uint8_t reserved[2];
};

struct ipc_about {
	char libslirp_version[IPC_VERSION_SIZE]; /* of the loaded library */
	uint32_t config_version_max;             /* SLIRP_CONFIG_VERSION_MAX at build */
	uint32_t reserved;
};

struct ipc_tap_gone {
	uint32_t error; /* errno of the read(2) that found the device gone */
	uint32_t reserved;
};

/* A forward: connections and datagrams to these host ports go to guest ports. */
struct ipc_hostfwd {
	struct inaddr host_addr;
	struct inaddr guest_addr; /* unspecified: the guest's own address */
	uint16_t host_port_first;
	uint16_t host_port_last;
	uint16_t guest_port_first; /* as many ports as on the host */
	uint8_t proto;             /* IPPROTO_TCP or IPPROTO_UDP */
	uint8_t reserved[7];
};

/* clang-format off */
/* The outcome of a change of the forwards: name, meaning. Replies show the meaning. */
#define IPC_HOSTFWD_OUTCOMES(OUTCOME) \
	OUTCOME(done, "done") \
	OUTCOME(no_such_rule, "there is no rule with this id") \
	OUTCOME(table_full, "the table of rules is full") \
	OUTCOME(in_use_by_rule, "a rule has the port already") \
	OUTCOME(in_use, "another program has the port") \
	OUTCOME(not_permitted, "the port needs a privilege") \
	OUTCOME(no_such_address, "no interface of the host has the address") \
	OUTCOME(ipv6_is_off, "IPv6 is not enabled") \
	OUTCOME(bad_guest_address, "the address is not one of the guest's network") \
	OUTCOME(system_error, "the kernel refused")

enum ipc_hostfwd_outcome {
#define IPC_HOSTFWD_OUTCOME_ENUM(name, meaning) IPC_HOSTFWD_##name,
	IPC_HOSTFWD_OUTCOMES(IPC_HOSTFWD_OUTCOME_ENUM)
#undef IPC_HOSTFWD_OUTCOME_ENUM
	IPC_HOSTFWD_N_OUTCOMES,
};
/* clang-format on */

struct ipc_hostfwd_result {
	uint32_t outcome;     /* enum ipc_hostfwd_outcome */
	uint32_t id;          /* of the new forward; 0 unless done */
	uint32_t error;       /* errno if the kernel refused, else 0 */
	uint32_t conflict_id; /* the forward that has the port, else 0 */
	uint16_t port;        /* the host's port that failed, else 0 */
	uint16_t reserved[3];
};

struct ipc_hostfwd_entry {
	uint32_t id;
	uint32_t reserved;
	struct ipc_hostfwd rule;
};

/* A number of bytes that nothing counts. */
#define IPC_BYTES_UNKNOWN UINT64_MAX

/* One connection of libslirp. */
struct ipc_connection {
	struct inaddr source_addr;
	struct inaddr dest_addr;
	uint16_t source_port;
	uint16_t dest_port;
	uint8_t proto;      /* IPPROTO_TCP, _UDP or _ICMP */
	uint8_t is_hostfwd; /* a connection through a forward, or a listening socket */
	uint8_t state;      /* enum ipc_tcp_state; NONE for other protocols */
	uint8_t reserved[7];
	uint32_t recv_queue_bytes;
	uint32_t send_queue_bytes;
	/* Data since the begin of the connection, without headers, or IPC_BYTES_UNKNOWN:
	 * from the peer to the guest, and from the guest to the peer. */
	uint64_t bytes_in;
	uint64_t bytes_out;
};

/* clang-format off */
/* RFC 9293, 3.3.2. libslirp's numbers (src/tcp.h) are one lower. */
#define IPC_TCP_STATES(STATE) \
	STATE(NONE) STATE(CLOSED) STATE(LISTEN) STATE(SYN_SENT) STATE(SYN_RCVD) \
	STATE(ESTABLISHED) STATE(CLOSE_WAIT) STATE(FIN_WAIT_1) STATE(CLOSING) \
	STATE(LAST_ACK) STATE(FIN_WAIT_2) STATE(TIME_WAIT)

enum ipc_tcp_state {
#define IPC_TCP_STATE_ENUM(name) IPC_TCP_##name,
	IPC_TCP_STATES(IPC_TCP_STATE_ENUM)
#undef IPC_TCP_STATE_ENUM
	IPC_TCP_N_STATES,
};

/* Events from the parent to the api's sessions: name, meaning. */
#define IPC_EVENTS(EVENT) \
	EVENT(RESOLV_CONF_CHANGED, "the worker has a new copy of the host's resolv.conf") \
	EVENT(WORKER_EXITED, "the worker is gone; slirpd ends") \
	EVENT(SHUTDOWN, "slirpd ends, and with it the session")

enum ipc_event_kind {
#define IPC_EVENT_ENUM(name, meaning) IPC_EVENT_##name,
	IPC_EVENTS(IPC_EVENT_ENUM)
#undef IPC_EVENT_ENUM
	IPC_N_EVENTS,
};
/* clang-format on */

/* A forward of the command line, from the parent. */
struct ipc_publish {
	struct ipc_hostfwd rule;
};

struct ipc_published {
	struct ipc_hostfwd_result result;
};

struct ipc_rule_added {
	struct ipc_hostfwd_entry entry;
};

struct ipc_rule_removed {
	uint32_t id;
	uint32_t reserved;
};

struct ipc_api_channel {
	uint64_t api_number; /* chosen by the parent */
};

struct ipc_api_dropped {
	uint64_t api_number; /* of the channel; there may be another api now */
	char why[IPC_WHY_SIZE];
};

/* From the api to the worker, and the answers, which come in the order of the requests.
 * `request` is any number; the answer returns it. */
struct ipc_add_hostfwd {
	uint64_t request;
	struct ipc_hostfwd rule;
};

struct ipc_hostfwd_added {
	uint64_t request;
	struct ipc_hostfwd_result result;
	struct ipc_hostfwd rule; /* as in the table if done, else zeros */
};

struct ipc_remove_hostfwd {
	uint64_t request;
	uint32_t id;
	uint32_t reserved;
};

struct ipc_hostfwd_removed {
	uint64_t request;
	uint32_t outcome; /* enum ipc_hostfwd_outcome */
	uint32_t id;
	struct ipc_hostfwd rule; /* the removed forward if done, else zeros */
};

struct ipc_list_hostfwd {
	uint64_t request;
	uint32_t after_id; /* 0 for the first page; then the last id of the page before */
	uint32_t reserved;
};

struct ipc_hostfwd_page {
	uint64_t request;
	uint32_t n; /* used entries; the others are zeros. Ascending by id. */
	uint32_t has_more;
	struct ipc_hostfwd_entry entries[IPC_PAGE_ENTRIES];
};

struct ipc_list_connections {
	uint64_t request;
	uint32_t first; /* 0 makes a new list; other values continue it */
	uint32_t reserved;
};

struct ipc_connections_page {
	uint64_t request;
	uint32_t n;
	uint32_t has_more;
	struct ipc_connection entries[IPC_PAGE_ENTRIES];
};

struct ipc_spawned {
	uint32_t pid;   /* 0: no process */
	uint32_t error; /* errno if pid is 0 */
};

struct ipc_get_status {
	uint64_t request;
};

struct ipc_event {
	uint32_t kind; /* enum ipc_event_kind */
	uint32_t reserved;
};

struct ipc_query_worker {
	uint64_t request;
};

struct ipc_stats {
	uint64_t counters[IPC_COUNTER_N];
	uint64_t drops[IPC_DROP_N];
};

struct ipc_worker_state {
	uint64_t request;
	struct ipc_stats stats;
	uint32_t n_tcp_sockets;
	uint32_t n_udp_sockets;
	uint32_t n_icmp_sockets;
	uint32_t n_hostfwds; /* forwards */
};

/* The parts of query_status that the api does not know itself. */
struct ipc_status {
	uint64_t request;
	struct ipc_network network;
	struct ipc_about about;
	struct ipc_confined confined[IPC_ROLE_END]; /* by enum ipc_role; zeros: none */
	uint64_t uptime_ms;                         /* since ready */
	uint32_t n_api_restarts;
	uint32_t parent_pid;
	uint32_t worker_pid;
	uint32_t reserved;
	char tap_name[IPC_IFNAME_SIZE]; /* empty if the TAP is inherited */
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
	ROW(fallback_userns, FD, ONCE, "if no user namespace can be made, join this one")

#define IPC_ROWS_PARENT_TO_SLIRP_WORKER(ROW) \
	ROW(start, PAYLOAD_FD, ONCE, "carry packets between this TAP or socket and the host, answer ready") \
	ROW(get_stats, NOTHING, RUNNING, "answer with stats") \
	ROW(outbound, PAYLOAD, RUNNING, "the source addresses of new connections") \
	ROW(publish, PAYLOAD, RUNNING, "add this forward of the command line, answer published") \
	ROW(api_channel, PAYLOAD_FD, RUNNING, "a channel to an api; it replaces the one before")

#define IPC_ROWS_SLIRP_WORKER_TO_PARENT(ROW) \
	ROW(resolv_copy, FD, ONCE, "a descriptor that writes the resolv.conf in the worker's root") \
	ROW(about, PAYLOAD, ONCE, "the version of libslirp; sent once without a request") \
	ROW(ready, NOTHING, REPLY, "packets flow from now on") \
	ROW(tap_gone, PAYLOAD, ONCE, "the TAP is gone for good; the worker only waits for its end") \
	ROW(stats, PAYLOAD, REPLY, "all counters") \
	ROW(published, PAYLOAD, REPLY, "the outcome of publish") \
	ROW(rule_added, PAYLOAD, RUNNING, "a forward was added, for the parent's copy") \
	ROW(rule_removed, PAYLOAD, RUNNING, "a forward was removed, for the parent's copy") \
	ROW(api_dropped, PAYLOAD, RUNNING, "the channel to the api was closed, and the reason")

#define IPC_ROWS_PARENT_TO_SPAWNER(ROW) \
	ROW(spawn, FD, RUNNING, "start an api with this channel to the parent, answer spawned")

#define IPC_ROWS_SPAWNER_TO_PARENT(ROW) \
	ROW(spawned, PAYLOAD, REPLY, "the PID of the new process, a child of the parent, or the error")

#define IPC_ROWS_PARENT_TO_API(ROW) \
	ROW(worker_channel, FD, ONCE, "a channel to the worker; comes before listen") \
	ROW(listen, FD, ONCE, "serve the clients of this listening socket, answer api_ready") \
	ROW(status, PAYLOAD, REPLY, "the answer to get_status") \
	ROW(event, PAYLOAD, RUNNING, "an event for the sessions that subscribed")

#define IPC_ROWS_API_TO_PARENT(ROW) \
	ROW(api_ready, NOTHING, REPLY, "clients are served from now on") \
	ROW(get_status, PAYLOAD, RUNNING, "answer with status")

#define IPC_ROWS_API_TO_SLIRP_WORKER(ROW) \
	ROW(add_hostfwd, PAYLOAD, ANYTIME, "add a forward, answer hostfwd_added") \
	ROW(remove_hostfwd, PAYLOAD, ANYTIME, "remove a forward, answer hostfwd_removed") \
	ROW(list_hostfwd, PAYLOAD, ANYTIME, "answer with a hostfwd_page") \
	ROW(query_worker, PAYLOAD, ANYTIME, "answer with worker_state") \
	ROW(list_connections, PAYLOAD, ANYTIME, "answer with a connections_page")

#define IPC_ROWS_SLIRP_WORKER_TO_API(ROW) \
	ROW(hostfwd_added, PAYLOAD, REPLY, "the new forward's id, or the reason for the refusal") \
	ROW(hostfwd_removed, PAYLOAD, REPLY, "the removed forward, or the reason for the refusal") \
	ROW(hostfwd_page, PAYLOAD, REPLY, "some of the forwards") \
	ROW(worker_state, PAYLOAD, REPLY, "counters and numbers of sockets") \
	ROW(connections_page, PAYLOAD, REPLY, "some of the connections")

/* All rows, in the order of the arrows (roles.h). */
#define IPC_ALL_ROWS(ROW) IPC_ARROWS(IPC_ROWS_OF_ARROW, ROW)
#define IPC_ROWS_OF_ARROW(arrow, senders, receivers, ROW) IPC_ROWS_##arrow(ROW)
/* clang-format on */
