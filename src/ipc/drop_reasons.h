/* SPDX-License-Identifier: BSD-2-Clause */
/* Why the worker drops a frame of the guest. Each reason has a counter. Manuals and
 * statistics show the sentences. The kernel of any guest sends frames that are dropped as
 * ip6_off or ip6_mld; these two reasons count no other frames. */
#pragma once

#define IPC_DROP_REASONS(R) \
	R(offload_kind, "an offload header that asks for a kind that was not offered") \
	R(offload_checksum, \
	    "an offload header that does not point to a TCP or UDP checksum") \
	R(offload_length, "an offload header whose lengths do not fit its frame") \
	R(frame_short, "shorter than an Ethernet header") \
	R(ether_source, "an Ethernet source address that no interface has") \
	R(ethertype, "neither ARP nor IP") \
	R(ip6_off, "IPv6 of any kind, while it is off") \
	R(arp_header, "ARP that is cut short or not about IPv4 on Ethernet") \
	R(arp_sender, "ARP from a sender that no guest can be") \
	R(ip4_header, "an IPv4 header whose version, lengths or flags are wrong") \
	R(ip4_checksum, "an IPv4 header whose checksum is wrong") \
	R(ip4_options, "an IPv4 header with options") \
	R(ip4_source, "an IPv4 source address that no guest can have") \
	R(ip4_destination, "an IPv4 destination that must not leave a host") \
	R(ip6_header, "an IPv6 header whose version or length is wrong") \
	R(ip6_extension, "an IPv6 extension header other than a fragment's") \
	R(ip6_mld, "a report on the IPv6 multicast groups of a host") \
	R(ip6_source, "an IPv6 source address that no guest can have") \
	R(ip6_destination, "an IPv6 destination that must not leave a host") \
	R(ip6_link_scope, "an IPv6 destination on the link where nothing listens") \
	R(ip_ttl, "a time to live or hop limit of zero") \
	R(ip_protocol, "a protocol other than TCP, UDP and ICMP") \
	R(tcp_header, "a TCP header that does not fit its packet") \
	R(tcp_options, "TCP options that are not well formed") \
	R(tcp_checksum, "a TCP segment whose checksum is wrong") \
	R(tcp_group, "TCP to a multicast or broadcast address") \
	R(udp_length, "a UDP length that does not fit its packet") \
	R(udp_checksum, "a wrong UDP checksum, or none over IPv6") \
	R(icmp_length, "an ICMP message that is cut short") \
	R(icmp_type, "an ICMP message that a guest need not send") \
	R(icmp_checksum, "an ICMP message whose checksum is wrong") \
	R(icmp_group, "an echo request to a multicast or broadcast address") \
	R(nd_message, "IPv6 neighbour discovery that is not well formed") \
	R(tftp, "TFTP to the virtual network") \
	R(dhcp, "a DHCP request that is not well formed") \
	R(dhcp6, "a DHCPv6 request that is not a well-formed information request") \
	R(broadcast, "a broadcast, which would name the host's loopback") \
	R(host_loopback_tcp, "a TCP connection to the host's loopback, which is closed") \
	R(host_loopback_udp, "UDP to the host's loopback, which is closed") \
	R(host_loopback_icmp, "an echo request to the host's loopback, which is closed") \
	R(descriptors, "a TCP connection or echo requests, while no descriptor is free") \
	R(udp_flows, \
	    "a UDP flow beyond those that a guest may have, or without a socket") \
	R(waiting, \
	    "a datagram or echo request beyond those that wait for the socket of a flow") \
	R(dns, \
	    "a datagram to the name server that is too short or too long for DNS, or " \
	    "comes while too many wait") \
	R(nameserver, "the name server's address, at a port where nothing answers") \
	R(fragment_empty, "a fragment without data") \
	R(fragment_length, "a middle fragment whose length is not a multiple of 8") \
	R(fragment_too_long, "fragments of more than 65535 bytes") \
	R(fragment_tiny, "a first fragment without the whole transport header") \
	R(fragment_nd, "neighbour discovery in fragments") \
	R(fragment_duplicate, "a fragment that came before, byte for byte") \
	R(fragment_overlap, "fragments that overlap") \
	R(fragment_conflict, "fragments that disagree on where the datagram ends") \
	R(fragment_count, "a datagram in more fragments than any path makes") \
	R(fragment_poisoned, "a fragment of a datagram given up for an earlier one")

enum ipc_drop_reason {
#define R(name, sentence) IPC_DROP_##name,
	IPC_DROP_REASONS(R)
#undef R
	    IPC_DROP_N
};
