/* SPDX-License-Identifier: BSD-2-Clause */
/* parent/libslirp_known: versions, invented vulnerabilities, and the real table. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "parent/output/libslirp_known.h"

static const struct libslirp_hole holes[] = {
	{ "CVE-1", "4.7.1", NULL },
	{ "CVE-2", "4.9", NULL },
	{ "CVE-3", "4.9.5", "a check" },
	{ "CVE-4", "4.10", NULL },
};

static char list[256];

static size_t
count(const char *version)
{
	return libslirp_known_open(holes, sizeof(holes) / sizeof(holes[0]), version, list,
	    sizeof(list));
}

static void
test_holes_of_newer_versions_are_open(void **state)
{
	(void)state;
	assert_int_equal(count("4.7.0"), 3);
	assert_string_equal(list, " CVE-1 CVE-2 CVE-4");
	assert_int_equal(count("4.6.1"), 3);
	assert_int_equal(count("4.7.1"), 2);
	assert_string_equal(list, " CVE-2 CVE-4");
	assert_int_equal(count("4.8.2"), 2);
	assert_int_equal(count("4.9.0"), 1);
	/* Compared as numbers, not as text. */
	assert_int_equal(count("4.9.5-git-abc"), 1);
	assert_string_equal(list, " CVE-4");
	assert_int_equal(count("4.10.0"), 0);
	assert_string_equal(list, "");
	assert_int_equal(count("5"), 0);
}

static void
test_short_versions_end_in_zeros(void **state)
{
	(void)state;
	assert_int_equal(count("4.9"), 1);
	assert_int_equal(count("4.7"), 3);
	assert_int_equal(count("4"), 3);
	assert_int_equal(count("4.10-rc1"), 0);
}

/* The library was linked, so it has at least the version that the build requires. */
static void
test_unknown_version_is_the_oldest_that_can_be(void **state)
{
	(void)state;
	assert_int_equal(count("unknown text"), count("4.7.0"));
	assert_int_equal(count(""), 3);
	assert_int_equal(count("v4.10.0"), 3);
	assert_int_equal(libslirp_known_open(libslirp_known, libslirp_n_known, "none",
			     list, sizeof(list)),
	    0);
}

static void
test_list_that_is_too_short_is_cut_between_numbers(void **state)
{
	char small[14];

	(void)state;
	assert_int_equal(libslirp_known_open(holes, 4, "4.7.0", small, sizeof(small)), 3);
	assert_string_equal(small, " CVE-1 CVE-2");
	assert_int_equal(libslirp_known_open(holes, 4, "4.7.0", small, 1), 3);
	assert_string_equal(small, "");
}

/* Every release that slirpd can be built with; no check covers the vulnerabilities of
 * older releases. */
static void
test_real_table(void **state)
{
	(void)state;
	assert_int_equal(libslirp_known_open(libslirp_known, libslirp_n_known, "4.7.0",
			     list, sizeof(list)),
	    0);
	assert_int_equal(libslirp_known_open(libslirp_known, libslirp_n_known, "3.9",
			     list, sizeof(list)),
	    2);
	assert_string_equal(list, " CVE-2014-3640 CVE-2017-13711");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holes_of_newer_versions_are_open),
		cmocka_unit_test(test_short_versions_end_in_zeros),
		cmocka_unit_test(test_unknown_version_is_the_oldest_that_can_be),
		cmocka_unit_test(test_list_that_is_too_short_is_cut_between_numbers),
		cmocka_unit_test(test_real_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
