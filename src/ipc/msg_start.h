/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages that set up the guest's network: TAP, addresses, the start of the worker. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "base/inaddr.h"
#include "base/mac.h"

/* An Ethernet interface's name with its NUL: IFNAMSIZ, linux/if.h. */
#define IPC_IFNAME_SIZE 16
/* The beginning of a path, for error texts. The rest of a log line still fits. */
#define IPC_LABEL_SIZE 256
/* tun_pi (4 bytes) and virtio_net_hdr_mrg_rxbuf (12): a TAP has no longer header. */
#define IPC_TAP_HEADER_MAX 16
/* struct virtio_net_hdr without the members of later kinds of devices. */
#define IPC_TAP_OFFLOAD_HEADER_LEN 10
/* "4.7.0", "4.9.5-git-abcdef": longer than any libslirp_version_string so far. */
#define IPC_VERSION_SIZE 32

/* --mtu of slirp4netns(1): the longest IPv4 packet (65535) minus an Ethernet header,
 * which is the most that libslirp can carry. */
#define IPC_MTU_MAX_BYTES 65521

/* With a prefix of 0 no address would be outside the network. The guest's address is
 * network + 100, so a network needs at least 128 addresses. */
#define IPC_PREFIX_LEN_MIN 1
#define IPC_PREFIX_LEN_MAX 25

/* glibc takes no more servers (MAXNS of resolv.h), and no greater numbers for the options of
 * resolv.conf(5) (RES_MAXRETRANS and RES_MAXRETRY of resolv.h). */
#define IPC_NAMESERVERS_MAX 3
#define IPC_NAMESERVER_TIMEOUT_MAX_S 30
#define IPC_NAMESERVER_ATTEMPTS_MAX 5

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

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
	/* Of the offloads too: a frame may hold several UDP datagrams of one length. */
	uint8_t has_uso;
	uint8_t reserved[2];
};

/* The host addresses of outgoing connections. Without an address, the host's routing
 * chooses. Whether there is an address never changes. */
struct ipc_outbound {
	struct inaddr addr[2]; /* by is_ipv6; zeros unless has_addr[is_ipv6] */
	uint8_t has_addr[2];
};

struct ipc_nameserver {
	struct inaddr addr;
	uint8_t reserved[3];
	uint32_t scope_id; /* the interface's index of a link-local addr; 0: none */
};

/* The host's name servers, which the name server's addresses of the guest stand for, and the
 * options of resolv.conf(5). An option that is not given is 0. */
struct ipc_nameservers {
	struct ipc_nameserver servers[IPC_NAMESERVERS_MAX]; /* zeros from n on */
	uint8_t n;
	uint8_t timeout_s;
	uint8_t attempts;
	uint8_t rotate;
};

struct ipc_start {
	struct ipc_network network;
	uint32_t tap_header_len; /* these three as in tap_made */
	uint8_t tap_has_offloads;
	uint8_t tap_has_uso;
	/* There is no TAP. The descriptor is a listening SOCK_SEQPACKET socket, and each
	 * message of its client is a frame. */
	uint8_t is_bess;
	uint8_t has_guest_mac; /* of the TAP's interface in the guest; not for a socket */
	struct mac guest_mac;  /* zeros unless has_guest_mac */
	uint8_t reserved[2];
};

struct ipc_connector_start {
	struct ipc_network network;
	struct ipc_outbound outbound;
	struct ipc_nameservers nameservers;
	uint32_t has_policy; /* 1: make no socket before the first policy_commit */
};

struct ipc_resolver_start {
	struct ipc_network network;
	struct ipc_nameservers nameservers;
	uint32_t has_policy; /* 1: ask for no name before the first policy_commit */
};

/* The address that the guest makes from the MAC of the TAP, or that --configure sets. */
struct ipc_guest_addr6 {
	struct in6_addr addr;
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

#pragma GCC diagnostic pop
