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
add(struct rules *rules, uint32_t id)
{
	const struct ipc_hostfwd_entry entry = {
		.id = id,
		.rule.host_port_first = (uint16_t)id,
	};

	return rules_add(rules, &entry);
}

static void
test_copy_follows(void **state)
{
	struct rules *rules = rules_new();

	(void)state;
	assert_non_null(rules);
	assert_int_equal(rules->n, 0);
	assert_int_equal(rules_remove(rules, 1), -1);
	for (uint32_t id = 1; id <= 4; id++)
		assert_int_equal(add(rules, id), 0);
	assert_int_equal(rules_remove(rules, 2), 0);
	assert_int_equal(rules_remove(rules, 2), -1);
	assert_int_equal(rules_remove(rules, 4), 0);
	assert_int_equal(rules->n, 2);
	assert_int_equal(rules->entries[0].id, 1);
	assert_int_equal(rules->entries[1].id, 3);
	assert_int_equal(rules->entries[1].rule.host_port_first, 3);
	free(rules);
}

static void
test_rules_are_found_by_id(void **state)
{
	struct rules *rules = rules_new();

	(void)state;
	assert_non_null(rules);
	assert_int_equal(rules_last_id(rules), 0);
	assert_null(rules_find(rules, 0));
	assert_int_equal(rules_place_after(rules, 0), 0);
	for (uint32_t id = 10; id <= 50; id += 10)
		assert_int_equal(add(rules, id), 0);
	assert_int_equal(rules_last_id(rules), 50);
	for (uint32_t id = 0; id <= 60; id++) {
		const struct ipc_hostfwd_entry *entry = rules_find(rules, id);

		assert_int_equal(entry != NULL, id >= 10 && id <= 50 && id % 10 == 0);
		assert_true(!entry || entry->id == id);
		assert_int_equal(rules_place_after(rules, id), id < 50 ? id / 10 : 5);
	}
	free(rules);
}

static void
test_ids_ascend(void **state)
{
	struct rules *rules = rules_new();

	(void)state;
	assert_non_null(rules);
	assert_int_equal(add(rules, 5), 0);
	assert_int_equal(add(rules, 5), -1);
	assert_int_equal(add(rules, 4), -1);
	assert_int_equal(add(rules, UINT32_MAX), 0);
	assert_int_equal(rules->n, 2);
	free(rules);
}

static void
test_copy_has_an_end(void **state)
{
	struct rules *rules = rules_new();

	(void)state;
	assert_non_null(rules);
	for (uint32_t id = 1; id <= RULES_MAX; id++)
		assert_int_equal(add(rules, id), 0);
	assert_int_equal(add(rules, RULES_MAX + 1), -1);
	assert_int_equal(rules_remove(rules, 1), 0);
	assert_int_equal(add(rules, RULES_MAX + 1), 0);
	assert_int_equal(rules->n, RULES_MAX);
	free(rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy_follows),
		cmocka_unit_test(test_rules_are_found_by_id),
		cmocka_unit_test(test_ids_ascend),
		cmocka_unit_test(test_copy_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
