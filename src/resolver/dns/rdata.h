/* SPDX-License-Identifier: BSD-2-Clause */
/* The data of records, type by type. */
#pragma once

#include "resolver/dns/wire.h"

enum dns_rdata_outcome {
	DNS_RDATA_OK,
	DNS_RDATA_BAD, /* malformed, or a name in it has bytes that no name of a host has */
	DNS_RDATA_DROPPED, /* well formed, but not for the guest (resolver/dns/svcb.h) */
};

/* Whether the guest can ask for records of the type: all of enum dns_type but OPT. */
bool dns_type_is_known(uint16_t type);

/* Reads the data of a record of a known type from reader, which ends where it does, and writes
 * it in its canonical form: names are folded and not compressed. Nothing is left in writer if
 * the outcome is not DNS_RDATA_OK; a full writer is DNS_RDATA_OK. */
enum dns_rdata_outcome dns_rdata_copy(uint16_t type, struct dns_reader *reader,
    struct dns_writer *writer);
