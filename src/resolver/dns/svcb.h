/* SPDX-License-Identifier: BSD-2-Clause */
/* The data of SVCB and HTTPS records (RFC 9460 2.2): where and how a service is reached. */
#pragma once

#include "base/inaddr.h"
#include "resolver/dns/rdata.h"

/*
 * As dns_rdata_copy(). Of the parameters, alpn, no-default-alpn, port, ipv4hint and ipv6hint are
 * kept. `ech` is dropped: with it a program hides the name that it connects to (RFC 9849). All
 * others are dropped, since nobody here knows what they open. A record for which a dropped
 * parameter is mandatory is DNS_RDATA_DROPPED.
 */
enum dns_rdata_outcome dns_svcb_copy(struct dns_reader *reader,
    struct dns_writer *writer);

/* Whether the address may stay. */
typedef bool dns_svcb_keep(void *context, const struct inaddr *addr);

/*
 * Cuts those addresses out of the hints of canonical data that keep() refuses, in place. Adds
 * their number to *n_cut. Returns the new length, and 0 if no hint is left of a parameter that
 * is mandatory: the record has to be dropped.
 */
size_t dns_svcb_filter(uint8_t *data, size_t len, dns_svcb_keep *keep, void *context,
    uint32_t *n_cut);

/* Adds the addresses in the hints of canonical data to the n that are in addrs, which has a place for
 * n_max. Returns the new number. */
size_t dns_svcb_hints(const uint8_t *data, size_t len, struct inaddr *addrs, size_t n,
    size_t n_max);
