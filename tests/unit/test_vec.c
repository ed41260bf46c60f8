/* SPDX-License-Identifier: BSD-2-Clause */
/* base/vec: an array that grows keeps its items, and stays if memory is low. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/vec.h"

static void
test_items_stay(void **state)
{
	uint32_t *items = NULL;
	size_t n = 0, size = 0;

	(void)state;
	for (; n < 5 * VEC_SIZE_FIRST; n++) {
		assert_true(VEC_MAKE_ROOM(&items, n, &size));
		assert_true(size > n);
		items[n] = (uint32_t)n;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(items[i], i);
	/* 16, 32, 64, 128. */
	assert_int_equal(size, 8 * VEC_SIZE_FIRST);
	free(items);
}

static void
test_array_too_large_to_grow_stays(void **state)
{
	/* The compiler would refuse to compile a constant. */
	volatile size_t size_max = SIZE_MAX;
	uint64_t *items = NULL, *before;
	size_t size = 0, huge;

	(void)state;
	assert_true(VEC_MAKE_ROOM(&items, 0, &size));
	before = items;
	/* Twice as many items have more bytes than a size_t can tell. */
	huge = size_max / sizeof(*items);
	assert_false(VEC_MAKE_ROOM(&items, huge, &huge));
	assert_ptr_equal(items, before);
	assert_int_equal(huge, SIZE_MAX / sizeof(*items));
	free(items);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items_stay),
		cmocka_unit_test(test_array_too_large_to_grow_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
