/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Header lengths and field offsets of a frame, in bytes, and values that several files
 * need. base/bytes.h reads the fields.
 */
#pragma once

/* Ethernet (IEEE 802.3 with a type field) */
#define WIRE_MAC_LEN 6
#define WIRE_ETH_DST 0
#define WIRE_ETH_SRC 6
#define WIRE_ETH_TYPE 12
#define WIRE_ETH_LEN 14

#define WIRE_TYPE_IP4 0x0800
#define WIRE_TYPE_ARP 0x0806
#define WIRE_TYPE_IP6 0x86dd

/* ARP for IPv4 on Ethernet (RFC 826) */
#define WIRE_ARP_HARDWARE 0
#define WIRE_ARP_PROTOCOL 2
#define WIRE_ARP_HARDWARE_LEN 4
#define WIRE_ARP_PROTOCOL_LEN 5
#define WIRE_ARP_OPERATION 6
#define WIRE_ARP_SENDER_MAC 8
#define WIRE_ARP_SENDER_IP 14
#define WIRE_ARP_TARGET_MAC 18
#define WIRE_ARP_TARGET_IP 24
#define WIRE_ARP_LEN 28

#define WIRE_ARP_ETHERNET 1
#define WIRE_ARP_REQUEST 1
#define WIRE_ARP_REPLY 2

/* IPv4 (RFC 791 3.1); the length does not include options */
#define WIRE_IP4_VERSION_IHL 0
#define WIRE_IP4_TOS 1
#define WIRE_IP4_TOTAL_LEN 2
#define WIRE_IP4_ID 4
#define WIRE_IP4_FRAGMENT 6
#define WIRE_IP4_TTL 8
#define WIRE_IP4_PROTOCOL 9
#define WIRE_IP4_CHECKSUM 10
#define WIRE_IP4_SRC 12
#define WIRE_IP4_DST 16
#define WIRE_IP4_LEN 20
#define WIRE_IP4_MAX_LEN 60

#define WIRE_IP4_RESERVED 0x8000
#define WIRE_IP4_DONT_FRAGMENT 0x4000
#define WIRE_IP4_MORE_FRAGMENTS 0x2000
#define WIRE_IP4_OFFSET_MASK 0x1fff

/* IPv6 (RFC 8200 3) and its fragment header (4.5) */
#define WIRE_IP6_VERSION 0
#define WIRE_IP6_PAYLOAD_LEN 4
#define WIRE_IP6_NEXT 6
#define WIRE_IP6_HOP_LIMIT 7
#define WIRE_IP6_SRC 8
#define WIRE_IP6_DST 24
#define WIRE_IP6_LEN 40

#define WIRE_FRAGMENT6_NEXT 0
#define WIRE_FRAGMENT6_OFFSET 2
#define WIRE_FRAGMENT6_ID 4
#define WIRE_FRAGMENT6_LEN 8
#define WIRE_FRAGMENT6_MORE 0x0001

/* IPv6 hop-by-hop options (RFC 8200 4.3): their length is one unit, and as many more. */
#define WIRE_OPTIONS6_NEXT 0
#define WIRE_OPTIONS6_MORE 1
#define WIRE_OPTIONS6_UNIT 8

/* Both families count fragment offsets in units of 8 bytes. */
#define WIRE_FRAGMENT_UNIT 8

/* TCP (RFC 9293 3.1) */
#define WIRE_TCP_SRC_PORT 0
#define WIRE_TCP_DST_PORT 2
#define WIRE_TCP_SEQ 4
#define WIRE_TCP_ACK 8
#define WIRE_TCP_DATA_OFFSET 12
#define WIRE_TCP_FLAGS 13
#define WIRE_TCP_WINDOW 14
#define WIRE_TCP_CHECKSUM 16
#define WIRE_TCP_URGENT 18
#define WIRE_TCP_LEN 20
#define WIRE_TCP_MAX_LEN 60

#define WIRE_TCP_FIN 0x01
#define WIRE_TCP_SYN 0x02
#define WIRE_TCP_RST 0x04
#define WIRE_TCP_PSH 0x08
#define WIRE_TCP_ACK_FLAG 0x10
#define WIRE_TCP_URG 0x20

/* TCP options (RFC 9293 3.1); the length of an option counts its kind and itself. */
#define WIRE_TCP_OPTION_END 0
#define WIRE_TCP_OPTION_NOP 1
#define WIRE_TCP_OPTION_MSS 2
#define WIRE_TCP_OPTION_MSS_LEN 4
#define WIRE_TCP_OPTION_MIN_LEN 2

/* Window scale (RFC 7323 2.2); 2.3 tells a host to use 14 in the place of more. */
#define WIRE_TCP_OPTION_WSCALE 3
#define WIRE_TCP_OPTION_WSCALE_LEN 3
#define WIRE_TCP_WSCALE_MAX 14

/* Selective acknowledgment (RFC 2018 2 and 3); a block has two sequence numbers. */
#define WIRE_TCP_OPTION_SACK_OK 4
#define WIRE_TCP_OPTION_SACK_OK_LEN 2
#define WIRE_TCP_OPTION_SACK 5
#define WIRE_TCP_SACK_BLOCK_LEN 8

/* UDP (RFC 768) */
#define WIRE_UDP_SRC_PORT 0
#define WIRE_UDP_DST_PORT 2
#define WIRE_UDP_LENGTH 4
#define WIRE_UDP_CHECKSUM 6
#define WIRE_UDP_LEN 8

#define WIRE_TFTP_PORT 69

/* DHCP's fixed part (RFC 2131 2, figure 1); the options begin with the cookie. */
#define WIRE_DHCP_OP 0
#define WIRE_DHCP_HTYPE 1
#define WIRE_DHCP_HLEN 2
#define WIRE_DHCP_XID 4
#define WIRE_DHCP_CIADDR 12
#define WIRE_DHCP_YIADDR 16
#define WIRE_DHCP_GIADDR 24
#define WIRE_DHCP_CHADDR 28
#define WIRE_DHCP_OPTIONS 236

/* DHCPv6 (RFC 8415 8): a byte of type, then the transaction id */
#define WIRE_DHCP6_TYPE 0
#define WIRE_DHCP6_LEN 4

/* Options of DHCPv6 (RFC 8415 21, RFC 3646 3): a code, a length, then the data */
#define WIRE_DHCP6_OPTION_LEN 4
#define WIRE_DHCP6_CLIENT_ID 1
#define WIRE_DHCP6_SERVER_ID 2
#define WIRE_DHCP6_REQUEST 6 /* the codes that the client asks for */
#define WIRE_DHCP6_DNS 23

/* RFC 8415 11.1: a DUID has a type of 2 bytes and at most 128 bytes more. */
#define WIRE_DHCP6_DUID_MAX 130

/* ICMP (RFC 792) and ICMPv6 (RFC 4443): errors and echoes have the same form */
#define WIRE_ICMP_TYPE 0
#define WIRE_ICMP_CODE 1
#define WIRE_ICMP_CHECKSUM 2
#define WIRE_ICMP_LEN 8

#define WIRE_ICMP4_UNREACHABLE 3
#define WIRE_ICMP4_TOO_BIG 4 /* code of UNREACHABLE (RFC 1191) */
#define WIRE_ICMP4_MTU 6
#define WIRE_ICMP4_ECHO 8
#define WIRE_ICMP4_TIME_EXCEEDED 11
#define WIRE_ICMP6_UNREACHABLE 1
#define WIRE_ICMP6_TOO_BIG 2
#define WIRE_ICMP6_TIME_EXCEEDED 3
#define WIRE_ICMP6_MTU 4
#define WIRE_ICMP6_ECHO 128
#define WIRE_ICMP6_LISTENER_REPORT 131
#define WIRE_ICMP6_LISTENER_DONE 132
#define WIRE_ICMP6_ROUTER_SOLICITATION 133
#define WIRE_ICMP6_ROUTER_ADVERTISEMENT 134
#define WIRE_ICMP6_NEIGHBOR_SOLICITATION 135
#define WIRE_ICMP6_NEIGHBOR_ADVERTISEMENT 136
#define WIRE_ICMP6_REDIRECT 137
#define WIRE_ICMP6_LISTENER_REPORT_V2 143

/* Neighbor discovery (RFC 4861 4.3, 4.4 and 4.6.1): a message about a neighbor, then
 * options, whose length is in units. */
#define WIRE_ND_TARGET 8
#define WIRE_ND_NEIGHBOR_LEN 24
#define WIRE_ND_HOP_LIMIT 255 /* of a packet that no router forwarded */
#define WIRE_ND_OPTION_UNIT 8

/* The options of a MAC: two kinds, and the offset of the MAC. */
#define WIRE_ND_SOURCE_MAC 1
#define WIRE_ND_TARGET_MAC 2
#define WIRE_ND_OPTION_MAC 2
