/* SPDX-License-Identifier: BSD-2-Clause */
/* base/vec: an array that grows keeps its items, and stays if memory is low. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/vec.h"

static bool is_memory_low;

/* The linker calls these (--wrap); a sanitizer's own function aborts instead of failing. */
void *__real_reallocarray(void *items, size_t n, size_t size);
void *__wrap_reallocarray(void *items, size_t n, size_t size);

void *
__wrap_reallocarray(void *items, size_t n, size_t size)
{
	return is_memory_low ? NULL : __real_reallocarray(items, n, size);
}

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
test_array_stays_if_memory_is_low(void **state)
{
	uint32_t *items = NULL;
	size_t size = 0;

	(void)state;
	assert_true(VEC_MAKE_ROOM(&items, 0, &size));
	items[0] = 7;
	is_memory_low = true;
	assert_true(VEC_MAKE_ROOM(&items, size - 1, &size));
	assert_false(VEC_MAKE_ROOM(&items, size, &size));
	assert_int_equal(size, VEC_SIZE_FIRST);
	assert_int_equal(items[0], 7);
	is_memory_low = false;
	free(items);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items_stay),
		cmocka_unit_test(test_array_stays_if_memory_is_low),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
