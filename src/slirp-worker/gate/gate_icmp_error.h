/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP errors by which a router of the guest says that a segment of ours is too long for it,
 * or that nobody takes it. Only gate_l4.c includes it. */
#pragma once

#include "slirp-worker/gate/gate_l4.h"

/* Whether the packet, at least the header of an ICMP message of its family, is such an error
 * (RFC 792, RFC 1191 4, RFC 4443 3.1 and 3.2), and quotes a TCP segment that came from the error's
 * destination. Fills in *out then. Does not check the checksum, or whether the segment was
 * sent. */
bool gate_icmp_error_parse(const struct gate_packet *packet, struct gate_icmp_error *out);
