/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of hosts in one canonical form, so that equal names are equal bytes: lower case, no dot
 * at the end, labels of letters, digits, '-' and '_' (RFC 1035 2.3.1; '_' is in names of
 * services, RFC 8552). */
#pragma once

#include <stddef.h>

/* RFC 1035 4.2. */
#define DNS_PORT 53
/* RFC 7858 and RFC 9250: DNS over TLS or QUIC. */
#define DNS_TLS_PORT 853

/* RFC 1035 2.3.4: 255 bytes on the wire. */
#define DNSNAME_LEN_MAX 253
#define DNSNAME_LABEL_MAX 63

/* The bytes of a canonical label. */
#define DNSNAME_BYTES "abcdefghijklmnopqrstuvwxyz0123456789-_"

enum dnsname_outcome {
	DNSNAME_OK,
	DNSNAME_EMPTY_LABEL, /* or an empty name */
	DNSNAME_LONG_LABEL,
	DNSNAME_TOO_LONG,
	DNSNAME_BAD_BYTE,  /* upper case as well */
	DNSNAME_IS_NUMBER, /* the last label has digits only: a malformed address */
};

/* Folds ASCII to lower case, in place. */
void dnsname_fold(char *text, size_t len);

/* Checks that the name is canonical. */
enum dnsname_outcome dnsname_check(const char *text, size_t len);
