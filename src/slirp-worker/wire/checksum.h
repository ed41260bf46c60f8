/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071) of IPv4 headers, TCP, UDP and ICMP.
 *
 * An unfinished sum is a uint64_t that starts at 0. The functions below add pieces to it.
 * It has a meaning outside this file only after checksum_finish().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Adds len bytes. Every piece but the last of a sum must have an even length. */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t len);

/* Adds the bytes of n pieces in a row, the last pieces of a sum. Their lengths may be
 * odd. */
uint64_t checksum_add_pieces(uint64_t sum, const struct iovec *pieces, size_t n);

/* Returns the checksum, to store with store_be16(). Over bytes that contain their correct
 * checksum it is 0. UDP sends 0xffff for 0 (RFC 768); the caller does that. */
uint16_t checksum_finish(uint64_t sum);

/* Returns the checksum after one aligned 16-bit field changed. All three are in host
 * order. Equation 3 of RFC 1624. */
uint16_t checksum_update(uint16_t checksum, uint16_t old_value, uint16_t new_value);

/* Updates the checksum at `checksum` for a change of len bytes; both are aligned to 16
 * bits in what it covers. Does not store the new bytes. */
void checksum_replace(uint8_t *checksum, const uint8_t *old_bytes,
    const uint8_t *new_bytes, size_t len);
