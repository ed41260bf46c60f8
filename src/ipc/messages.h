/*
 * Everything that crosses a process boundary. A payload is a struct of fixed size:
 * no pointers, no holes (-Wpadded is an error here), reserved bytes zero. After the
 * payloads comes one list of rows per arrow, sender to receiver. The rows generate
 * the message numbers, the table in describe.c, the send functions, the receive
 * checks, the handlers' prototypes, the tests in tests/ipc and the fuzz seeds. The
 * hash of this file is the protocol's version: both ends compare it first.
 *
 * Both ends are the same build on the same machine, so numbers are in host order
 * except where a name ends in _be.
 */
#pragma once

#include <stdint.h>

#include "ipc/drop_reasons.h"

/* An Ethernet interface's name with its NUL: IFNAMSIZ, linux/if.h. */
#define IPC_IFNAME_SIZE 16
/* A path's beginning, for error texts: as much as fits a log line with the rest. */
#define IPC_LABEL_SIZE 256
/* One log line; the same number as LOG_TEXT_SIZE, held by describe.c. */
#define IPC_LOG_TEXT_SIZE 480
/* virtio_net_hdr_mrg_rxbuf (12 bytes) after tun_pi (4): more no TAP puts first. */
#define IPC_TAP_HEADER_MAX 16
/* "4.7.0", "4.9.5-git-abcdef": longer than any libslirp_version_string so far. */
#define IPC_VERSION_SIZE 32
#define IPC_MAC_LEN 6
#define IPC_ADDR6_LEN 16

enum ipc_role {
	IPC_ROLE_PARENT = 1,
	IPC_ROLE_NETNS_HELPER,
	IPC_ROLE_SLIRP_WORKER,
};

/* clang-format off */
/* What the worker counts besides drops: name, meaning. All since its start. */
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
	COUNTER(oversize_to_guest, "frames from the stack that no rule could make fit the MTU") \
	COUNTER(stack_errors, "complaints of libslirp about the guest") \
	COUNTER(sockets_not_polled, "times a socket found the poll set full")

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

/* The virtual network; addresses as in slirp4netns(1): host is network + 2,
 * nameserver + 3, the first DHCP lease + 15, the guest's own address + 100. */
struct ipc_network {
	uint32_t network_be;
	uint32_t netmask_be;
	uint32_t host_be;
	uint32_t nameserver_be;
	uint32_t dhcp_start_be;
	uint32_t guest_be;
	uint8_t prefix6[IPC_ADDR6_LEN]; /* of a /64 */
	uint8_t host6[IPC_ADDR6_LEN];
	uint8_t nameserver6[IPC_ADDR6_LEN];
	uint32_t prefix_len; /* of network_be, bits */
	uint32_t mtu_bytes;  /* of the guest's interface: an IP packet's size */
	uint8_t enable_ipv6;
	uint8_t enable_dns;
	uint8_t allow_host_loopback;
	uint8_t reserved[5];
};

/* How much of a jail is asked for. */
enum ipc_jail_mode {
	IPC_JAIL_OFF,
	IPC_JAIL_BEST_EFFORT, /* what the system allows; the level is logged */
	IPC_JAIL_REQUIRED,    /* anything less is fatal */
	IPC_JAIL_N_MODES,
};

/* clang-format off */
/* The stages of a jail, in the order in which they are entered. */
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
};
/* clang-format on */

struct ipc_confine {
	uint8_t sandbox_mode; /* enum ipc_jail_mode, of all stages but seccomp */
	uint8_t seccomp_mode;
	uint8_t has_runas; /* slirpd runs as real root: take the ids below */
	uint8_t reserved;
	uint32_t runas_uid; /* 0 unless has_runas */
	uint32_t runas_gid;
};

struct ipc_confined {
	uint64_t cap_effective; /* bits as in capabilities(7) */
	uint64_t cap_bounding;
	uint32_t stages;        /* set of 1 << enum ipc_stage: those that were reached */
	uint32_t landlock_abi;  /* 0: the kernel has none, or it was not used */
	uint32_t n_calls;       /* system calls in the policy, 0 without a filter */
	uint8_t has_own_userns; /* 0 with the namespaces reached: another's was joined */
	uint8_t reserved[3];
};

struct ipc_fallback_userns {
	uint64_t reserved;
};

struct ipc_resolv_copy {
	uint64_t reserved;
};

struct ipc_join_userns {
	char label[IPC_LABEL_SIZE]; /* the path that the descriptor was opened from */
};

struct ipc_make_tap {
	struct ipc_network network;
	char netns_label[IPC_LABEL_SIZE]; /* as in join_userns */
	char tap_name[IPC_IFNAME_SIZE];
	uint8_t mac[IPC_MAC_LEN]; /* zeros unless has_mac */
	uint8_t has_mac;
	uint8_t configure; /* bring lo and the TAP up, with addresses and routes */
};

struct ipc_inspect_tap {
	uint32_t caller_number; /* the descriptor's number in the parent, for messages */
	uint32_t reserved;
};

struct ipc_tap_made {
	/* Bytes that the device puts before each frame, and expects there: 0 on a TAP
	 * that slirpd made; else as linux/if_tun.h says of IFF_NO_PI and IFF_VNET_HDR. */
	uint32_t header_len;
	uint32_t reserved;
};

struct ipc_start {
	struct ipc_network network;
	uint32_t tap_header_len; /* header_len of tap_made */
	uint32_t reserved;
};

struct ipc_about {
	char libslirp_version[IPC_VERSION_SIZE]; /* of the library that is loaded */
	uint32_t config_version_max;             /* SLIRP_CONFIG_VERSION_MAX at build */
	uint32_t reserved;
};

struct ipc_ready {
	uint64_t reserved;
};

struct ipc_tap_gone {
	uint32_t error; /* errno of the read that found the device gone */
	uint32_t reserved;
};

struct ipc_get_stats {
	uint64_t reserved;
};

struct ipc_stats {
	uint64_t counters[IPC_COUNTER_N];
	uint64_t drops[IPC_DROP_N];
};

#pragma GCC diagnostic pop

/*
 * When a message is legal, beyond "hello is the first and comes once":
 * ANYTIME after hello; ONCE in a channel's life; RUNNING only after the receiver has
 * said that service began (ipc_channel_set_running); REPLY only while the receiver
 * waits for one.
 *
 * ROW(name, descriptors, when, meaning): the payload is struct ipc_<name>.
 */

/* clang-format off */
#define IPC_ROWS_BOTH_WAYS(ROW) \
	ROW(hello, 0, ONCE, "who I am, and which protocol I speak")

#define IPC_ROWS_CHILD_TO_PARENT(ROW) \
	ROW(log, 0, ANYTIME, "a line for the log") \
	ROW(confined, 0, ONCE, "which stages of my jail I have reached")

#define IPC_ROWS_PARENT_TO_CHILD(ROW) \
	ROW(confine, 0, ONCE, "how much of a jail to make; the first after hello")

#define IPC_ROWS_PARENT_TO_NETNS_HELPER(ROW) \
	ROW(join_userns, 1, ONCE, "join this user namespace before the network namespace") \
	ROW(make_tap, 1, ONCE, "join this network namespace, make the TAP, answer tap_made") \
	ROW(inspect_tap, 1, ONCE, "instead: check this inherited TAP, answer tap_made")

#define IPC_ROWS_NETNS_HELPER_TO_PARENT(ROW) \
	ROW(tap_made, 1, REPLY, "the TAP's descriptor; the helper ends after it")

#define IPC_ROWS_PARENT_TO_SLIRP_WORKER(ROW) \
	ROW(fallback_userns, 1, ONCE, "where own user namespaces are barred, join this one") \
	ROW(start, 1, ONCE, "carry packets between this TAP and the host, answer ready") \
	ROW(get_stats, 0, RUNNING, "answer with stats")

#define IPC_ROWS_SLIRP_WORKER_TO_PARENT(ROW) \
	ROW(resolv_copy, 1, ONCE, "a descriptor that writes the resolv.conf in my root") \
	ROW(about, 0, ONCE, "which libslirp this is; sent unasked") \
	ROW(ready, 0, REPLY, "packets flow from now on") \
	ROW(tap_gone, 0, ONCE, "the TAP is gone for good; the worker only waits for its end") \
	ROW(stats, 0, REPLY, "all counters")

/* Every arrow: its constant, its rows. */
#define IPC_ARROWS(ARROW) \
	ARROW(BOTH_WAYS) \
	ARROW(CHILD_TO_PARENT) \
	ARROW(PARENT_TO_CHILD) \
	ARROW(PARENT_TO_NETNS_HELPER) \
	ARROW(NETNS_HELPER_TO_PARENT) \
	ARROW(PARENT_TO_SLIRP_WORKER) \
	ARROW(SLIRP_WORKER_TO_PARENT)

#define IPC_ALL_ROWS(ROW) \
	IPC_ROWS_BOTH_WAYS(ROW) \
	IPC_ROWS_CHILD_TO_PARENT(ROW) \
	IPC_ROWS_PARENT_TO_CHILD(ROW) \
	IPC_ROWS_PARENT_TO_NETNS_HELPER(ROW) \
	IPC_ROWS_NETNS_HELPER_TO_PARENT(ROW) \
	IPC_ROWS_PARENT_TO_SLIRP_WORKER(ROW) \
	IPC_ROWS_SLIRP_WORKER_TO_PARENT(ROW)
/* clang-format on */
