/* SPDX-License-Identifier: BSD-2-Clause */
/* The published vulnerabilities of libslirp, and the ones that the loaded version has and
 * no check of slirpd covers. Pure functions and a table. The parent links no libslirp;
 * the worker reports the version. */
#pragma once

#include <stddef.h>

struct libslirp_hole {
	const char *number;
	const char *fixed_in; /* "4.9.2"; "4.0" also for fixes before the first release */
	/* The class in SECURITY.md, and a drop reason, a file or "off"; NULL for no
	 * check. */
	const char *check;
};

/* SECURITY.md lists the same CVE numbers by class; a test compares the two. */
extern const struct libslirp_hole libslirp_known[];
extern const size_t libslirp_n_known;

/*
 * Writes to list (list_size bytes, at least 1) the CVE numbers of the vulnerabilities
 * that this version has and that no check covers. A space precedes each number, and
 * numbers that do not fit are left out. Only the leading numbers of the version count. A
 * version without them is taken for the oldest that slirpd builds with. Returns the
 * number of such vulnerabilities.
 */
size_t libslirp_known_open(const struct libslirp_hole *holes, size_t n_holes,
    const char *version, char *list, size_t list_size);
