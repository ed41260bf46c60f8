/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The published holes of libslirp, and which of them a library that is loaded has and no
 * check of slirpd's makes unreachable. Pure functions and a table; the parent knows the
 * version from the worker, and links no libslirp.
 */
#pragma once

#include <stddef.h>

struct libslirp_hole {
	const char *number;
	const char
	    *fixed_in; /* "4.9.2"; "4.0" also for what was before the first release */
	/* The class in SECURITY.md, and a drop reason, a file or "off"; NULL for no check. */
	const char *check;
};

/* SECURITY.md has the same numbers by class; a test compares the two. */
extern const struct libslirp_hole libslirp_known[];
extern const size_t libslirp_n_known;

/*
 * Writes to list (list_size bytes, at least 1) the numbers of those holes that a library
 * of this version has and that no check covers, with a space before each. A version is
 * known by the numbers that it begins with; one that begins with none is taken for the
 * oldest that slirpd can be built with. Returns how many they are; those that don't fit
 * are left out.
 */
size_t libslirp_known_open(const struct libslirp_hole *holes, size_t n_holes,
    const char *version, char *list, size_t list_size);
