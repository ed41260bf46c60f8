/* SPDX-License-Identifier: BSD-2-Clause */
/* The canonical form of names of hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/dnsname.h"

static enum dnsname_outcome
check(const char *text)
{
	return dnsname_check(text, strlen(text));
}

static void
test_canonical_names(void **state)
{
	(void)state;
	assert_int_equal(check("pypi.org"), DNSNAME_OK);
	assert_int_equal(check("_https._tcp.a-b.1.test"), DNSNAME_OK);
	assert_int_equal(check("localhost"), DNSNAME_OK);
}

static void
test_other_names(void **state)
{
	(void)state;
	assert_int_equal(check(""), DNSNAME_EMPTY_LABEL);
	assert_int_equal(check("."), DNSNAME_EMPTY_LABEL);
	assert_int_equal(check("a..b"), DNSNAME_EMPTY_LABEL);
	assert_int_equal(check("a.test."), DNSNAME_EMPTY_LABEL);
	assert_int_equal(check("A.test"), DNSNAME_BAD_BYTE);
	assert_int_equal(check("a b.test"), DNSNAME_BAD_BYTE);
	assert_int_equal(check("*.test"), DNSNAME_BAD_BYTE);
	assert_int_equal(check("\xc3\xbc.test"), DNSNAME_BAD_BYTE);
	assert_int_equal(dnsname_check("a\0b.test", 8), DNSNAME_BAD_BYTE);
	assert_int_equal(check("10.0.0.1"), DNSNAME_IS_NUMBER);
}

static void
test_lengths(void **state)
{
	char text[255];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(dnsname_check(text, 63), DNSNAME_OK);
	assert_int_equal(dnsname_check(text, 64), DNSNAME_LONG_LABEL);
	text[63] = text[127] = text[191] = '.';
	assert_int_equal(dnsname_check(text, 253), DNSNAME_OK);
	assert_int_equal(dnsname_check(text, 254), DNSNAME_TOO_LONG);
}

static void
test_folding(void **state)
{
	char text[256], folded[256];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		text[byte] = (char)byte;
		folded[byte] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
	}
	dnsname_fold(text, sizeof(text));
	assert_memory_equal(text, folded, sizeof(text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical_names),
		cmocka_unit_test(test_other_names),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_folding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
