/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of forwards, and copies of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/forward_table.h"

static int
add(struct forward_table *table, uint32_t id)
{
	const struct ipc_forward_entry entry = {
		.id = id,
		.forward.host_port_first = (uint16_t)id,
	};

	return forward_table_add(table, &entry);
}

static void
test_copy_follows(void **state)
{
	struct forward_table *table = forward_table_new();

	(void)state;
	assert_non_null(table);
	assert_int_equal(table->n, 0);
	assert_int_equal(forward_table_remove(table, 1), -1);
	for (uint32_t id = 1; id <= 4; id++)
		assert_int_equal(add(table, id), 0);
	assert_int_equal(forward_table_remove(table, 2), 0);
	assert_int_equal(forward_table_remove(table, 2), -1);
	assert_int_equal(forward_table_remove(table, 4), 0);
	assert_int_equal(table->n, 2);
	assert_int_equal(table->entries[0].id, 1);
	assert_int_equal(table->entries[1].id, 3);
	assert_int_equal(table->entries[1].forward.host_port_first, 3);
	free(table);
}

static void
test_forwards_are_found_by_id(void **state)
{
	struct forward_table *table = forward_table_new();

	(void)state;
	assert_non_null(table);
	assert_int_equal(forward_table_last_id(table), 0);
	assert_null(forward_table_find(table, 0));
	assert_int_equal(forward_table_place_after(table, 0), 0);
	for (uint32_t id = 10; id <= 50; id += 10)
		assert_int_equal(add(table, id), 0);
	assert_int_equal(forward_table_last_id(table), 50);
	for (uint32_t id = 0; id <= 60; id++) {
		const struct ipc_forward_entry *entry = forward_table_find(table, id);

		assert_int_equal(entry != NULL, id >= 10 && id <= 50 && id % 10 == 0);
		assert_true(!entry || entry->id == id);
		assert_int_equal(forward_table_place_after(table, id),
		    id < 50 ? id / 10 : 5);
	}
	free(table);
}

static void
test_ids_ascend(void **state)
{
	struct forward_table *table = forward_table_new();

	(void)state;
	assert_non_null(table);
	assert_int_equal(add(table, 5), 0);
	assert_int_equal(add(table, 5), -1);
	assert_int_equal(add(table, 4), -1);
	assert_int_equal(add(table, UINT32_MAX), 0);
	assert_int_equal(table->n, 2);
	free(table);
}

static void
test_copy_has_an_end(void **state)
{
	struct forward_table *table = forward_table_new();

	(void)state;
	assert_non_null(table);
	for (uint32_t id = 1; id <= FORWARD_TABLE_MAX; id++)
		assert_int_equal(add(table, id), 0);
	assert_int_equal(add(table, FORWARD_TABLE_MAX + 1), -1);
	assert_int_equal(forward_table_remove(table, 1), 0);
	assert_int_equal(add(table, FORWARD_TABLE_MAX + 1), 0);
	assert_int_equal(table->n, FORWARD_TABLE_MAX);
	free(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy_follows),
		cmocka_unit_test(test_forwards_are_found_by_id),
		cmocka_unit_test(test_ids_ascend),
		cmocka_unit_test(test_copy_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
