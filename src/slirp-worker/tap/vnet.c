/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles the worker's part of the TAP's offloads, which the helper has switched on. */
#include "slirp-worker/tap/vnet.h"

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/ip.h"

/* Since Linux 6.2. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define OFFSET(field) offsetof(struct virtio_net_hdr, field)

/* The transport header and its checksum in a frame. */
struct transport {
	bool is_ip6;
	bool is_in_tunnel;
	uint8_t protocol;
	size_t offset;          /* of the transport header */
	size_t checksum_offset; /* in the transport header */
};

/* Finds the transport header. The gate checks the rest later. */
static bool
find_transport(const uint8_t *frame, size_t frame_len, struct transport *transport)
{
	struct ip_packet ip;

	/* The kernel completes a checksum before it fragments the packet. */
	if (!ip_parse(frame, frame_len, &ip) || ip4_is_fragment(&ip))
		return false;
	*transport = (struct transport){
		.is_ip6 = ip.is_ip6,
		.protocol = ip.protocol,
		.offset = WIRE_ETH_LEN + ip.header_len,
	};
	if (transport->protocol == IPPROTO_TCP)
		transport->checksum_offset = WIRE_TCP_CHECKSUM;
	else if (transport->protocol == IPPROTO_UDP)
		transport->checksum_offset = WIRE_UDP_CHECKSUM;
	else
		return false;
	return ip.payload_len >= transport->checksum_offset + 2;
}

/*
 * Finds the checksum inside a tunnel over UDP, such as VXLAN. The kernel leaves only the
 * inner checksum to the worker; the tunnel's own is right for the completed packet
 * (Linux, Documentation/networking/checksum-offloads.rst, "LCO"). The number of headers
 * before it depends on the tunnel, so it may be anywhere in the datagram. This is safe:
 * the worker changes two bytes that the guest could have sent in any form.
 */
static bool
enter_tunnel(struct transport *transport, size_t frame_len, size_t start, size_t offset)
{
	if (transport->protocol != IPPROTO_UDP ||
	    start < transport->offset + WIRE_UDP_LEN || start + offset + 2 > frame_len)
		return false;
	if (offset == WIRE_TCP_CHECKSUM)
		transport->protocol = IPPROTO_TCP;
	else if (offset != WIRE_UDP_CHECKSUM)
		return false;
	transport->is_in_tunnel = true;
	transport->offset = start;
	transport->checksum_offset = offset;
	return true;
}

/* Whether the header points to a checksum that can be completed; finds that checksum. */
static bool
find_checksum(const uint8_t *header, const uint8_t *frame, size_t frame_len,
    struct transport *transport)
{
	size_t start = load_le16(header + OFFSET(csum_start));
	size_t offset = load_le16(header + OFFSET(csum_offset));

	if (!find_transport(frame, frame_len, transport))
		return false;
	if (start == transport->offset && offset == transport->checksum_offset)
		return true;
	return enter_tunnel(transport, frame_len, start, offset);
}

/* The bytes between are Ethernet's padding, and zero. */
static void
complete_checksum(uint8_t *frame, size_t frame_len, const struct transport *transport)
{
	uint8_t *l4 = frame + transport->offset;
	uint16_t checksum;

	/* The field already holds the sum of the pseudo header. */
	checksum = checksum_finish(checksum_add(0, l4, frame_len - transport->offset));
	/* RFC 768: zero means that there is no checksum. */
	if (checksum == 0 && transport->protocol == IPPROTO_UDP)
		checksum = 0xffff;
	store_be16(l4 + transport->checksum_offset, checksum);
}

/* Whether the kind is that of the transport header: TCP of its family, or UDP. */
static bool
gso_kind_is_right(uint8_t type, const struct transport *transport)
{
	if (transport->is_in_tunnel)
		return false;
	if (transport->protocol == IPPROTO_UDP)
		return type == VIRTIO_NET_HDR_GSO_UDP_L4;
	return type ==
	    (transport->is_ip6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4);
}

/* Checks a segment, or several datagrams, that the kernel has not cut. */
static bool
gso_is_right(const uint8_t *header, const struct transport *transport, size_t frame_len,
    enum ipc_drop_reason *reason)
{
	bool is_udp = transport->protocol == IPPROTO_UDP;
	size_t gso_size = load_le16(header + OFFSET(gso_size));
	size_t headers_len = load_le16(header + OFFSET(hdr_len));
	size_t rest = frame_len - transport->offset;

	*reason = IPC_DROP_offload_kind;
	if (!gso_kind_is_right(header[OFFSET(gso_type)], transport))
		return false;
	*reason = IPC_DROP_offload_length;
	if (gso_size == 0 || gso_size > rest || headers_len > frame_len ||
	    headers_len < transport->offset + (is_udp ? WIRE_UDP_LEN : WIRE_TCP_LEN))
		return false;
	/* A guest's raw socket could have one frame stand for 65,000 datagrams. */
	return !is_udp || rest - WIRE_UDP_LEN <= gso_size * VNET_PIECES_MAX;
}

/* Whether the checksum can stay open: the kernel of the guest or the host knows that it is
 * right, and nobody else looks at it. */
static bool
sum_stays_open(const uint8_t *frame, const struct transport *transport, bool is_gso)
{
	if (transport->is_in_tunnel)
		return false;
	return transport->protocol == IPPROTO_TCP
	    ? !(frame[transport->offset + WIRE_TCP_FLAGS] & WIRE_TCP_URG)
	    : is_gso;
}

bool
vnet_accept(const uint8_t header[VNET_HEADER_LEN], uint8_t *frame, size_t frame_len,
    struct vnet_frame *out, enum ipc_drop_reason *reason)
{
	uint8_t flags = header[OFFSET(flags)];
	bool is_gso = header[OFFSET(gso_type)] != VIRTIO_NET_HDR_GSO_NONE;
	struct transport transport;

	/* DATA_VALID: the checksum is complete and was verified. */
	*reason = IPC_DROP_offload_kind;
	if ((flags & ~(VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID)) != 0)
		return false;
	*out = (struct vnet_frame){
		.sum = flags & VIRTIO_NET_HDR_F_DATA_VALID ? VNET_SUM_VALID
							   : VNET_SUM_UNKNOWN,
	};
	if ((flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
		return !is_gso;

	*reason = IPC_DROP_offload_checksum;
	if (!find_checksum(header, frame, frame_len, &transport))
		return false;
	if (is_gso && !gso_is_right(header, &transport, frame_len, reason))
		return false;
	if (is_gso && transport.protocol == IPPROTO_UDP)
		out->piece_len = load_le16(header + OFFSET(gso_size));
	if (sum_stays_open(frame, &transport, is_gso)) {
		out->sum = VNET_SUM_OPEN;
		return true;
	}
	complete_checksum(frame, frame_len, &transport);
	out->sum = VNET_SUM_VALID;
	return true;
}

void
vnet_mark_tcp(uint8_t header[VNET_HEADER_LEN], bool is_ip6, size_t head_len,
    size_t data_len, uint16_t piece)
{
	size_t l4_offset = WIRE_ETH_LEN + (is_ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN);

	memset(header, 0, VNET_HEADER_LEN);
	header[OFFSET(flags)] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	store_le16(header + OFFSET(csum_start), (uint16_t)l4_offset);
	store_le16(header + OFFSET(csum_offset), WIRE_TCP_CHECKSUM);
	/* The part to copy into one piece; the data may stay in pages. */
	store_le16(header + OFFSET(hdr_len), (uint16_t)head_len);
	if (data_len <= piece)
		return;
	header[OFFSET(gso_type)] =
	    is_ip6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	store_le16(header + OFFSET(gso_size), piece);
}

void
vnet_mark_udp(uint8_t header[VNET_HEADER_LEN], size_t l4_offset, size_t data_len,
    size_t piece_len)
{
	memset(header, 0, VNET_HEADER_LEN);
	header[OFFSET(flags)] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	store_le16(header + OFFSET(csum_start), (uint16_t)l4_offset);
	store_le16(header + OFFSET(csum_offset), WIRE_UDP_CHECKSUM);
	/* The part to copy into one piece; the data may stay in pages. */
	store_le16(header + OFFSET(hdr_len), (uint16_t)(l4_offset + WIRE_UDP_LEN));
	if (data_len <= piece_len)
		return;
	header[OFFSET(gso_type)] = VIRTIO_NET_HDR_GSO_UDP_L4;
	store_le16(header + OFFSET(gso_size), (uint16_t)piece_len);
}
