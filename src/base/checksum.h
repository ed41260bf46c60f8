/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071): what IPv4 headers, TCP, UDP and ICMP carry.
 *
 * A sum in the making is a uint64_t that starts at 0, takes pieces with the functions
 * below and means nothing outside this file until checksum_finish() has folded it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Adds len bytes. Every piece but the last of a sum must have an even length. */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t len);

/*
 * Adds the pseudo header of RFC 9293 3.1 (IPv4) and RFC 8200 8.1 (IPv6). addresses
 * points to the source address with the destination behind it, as in the IP header;
 * l4_len counts the transport header and what follows it.
 */
uint64_t checksum_add_pseudo4(uint64_t sum, const uint8_t addresses[8], uint8_t protocol,
    size_t l4_len);
uint64_t checksum_add_pseudo6(uint64_t sum, const uint8_t addresses[32], uint8_t protocol,
    size_t l4_len);

/* The checksum to store with store_be16(). Over bytes that contain their own right
 * checksum it is 0. UDP sends 0xffff for 0 (RFC 768); that is the caller's business. */
uint16_t checksum_finish(uint64_t sum);

/* The checksum after one aligned 16-bit field changed its value, all three in host
 * order: equation 3 of RFC 1624. */
uint16_t checksum_update(uint16_t checksum, uint16_t old_value, uint16_t new_value);
