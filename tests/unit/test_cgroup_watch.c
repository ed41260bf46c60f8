/* SPDX-License-Identifier: BSD-2-Clause */
/* parent/cgroup/watch: the times of the looks. What a look sees is in integration/test_cgroup. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/deadline.h"
#include "parent/cgroup/watch.h"

/* Any time of the clock. */
#define BEGAN_MS 777000

static struct cgroup_watch watch;

static int
begin(void **state)
{
	(void)state;
	parent_cgroup_init(&watch);
	strcpy(watch.cgroup, "/slirpd-test");
	parent_cgroup_begin(&watch, BEGAN_MS);
	return 0;
}

/* A look, after which the mover knows of everything. */
static void
look_at(uint64_t now_ms)
{
	(void)parent_cgroup_handle(&watch, now_ms);
	watch.is_told = true;
}

static void
test_without_a_group_there_is_no_look(void **state)
{
	(void)state;
	parent_cgroup_init(&watch);
	parent_cgroup_begin(&watch, BEGAN_MS);
	assert_int_equal(parent_cgroup_due_ms(&watch), DEADLINE_NONE);
	assert_false(parent_cgroup_handle(&watch, BEGAN_MS + 100));
}

static void
test_looks_four_times_on_its_own(void **state)
{
	static const uint64_t times_ms[] = { 100, 1000, 5000, 30000 };

	(void)state;
	for (size_t i = 0; i < sizeof(times_ms) / sizeof(times_ms[0]); i++) {
		assert_int_equal(parent_cgroup_due_ms(&watch), BEGAN_MS + times_ms[i]);
		look_at(BEGAN_MS + times_ms[i]);
	}
	assert_int_equal(parent_cgroup_due_ms(&watch), DEADLINE_NONE);
}

/* A parent that slept through several times looks once. */
static void
test_late_look_stands_for_all_before_it(void **state)
{
	(void)state;
	look_at(BEGAN_MS + 6000);
	assert_int_equal(parent_cgroup_due_ms(&watch), BEGAN_MS + 30000);
}

static void
test_awake_parent_looks_once_a_second(void **state)
{
	(void)state;
	look_at(BEGAN_MS + 40000);
	watch.is_told = false;
	assert_false(parent_cgroup_handle(&watch, BEGAN_MS + 40999));
	assert_true(parent_cgroup_handle(&watch, BEGAN_MS + 41000));
}

static void
test_mover_that_was_not_told_is_told_a_second_later(void **state)
{
	(void)state;
	look_at(BEGAN_MS + 40000);
	watch.is_told = false;
	assert_int_equal(parent_cgroup_due_ms(&watch), BEGAN_MS + 41000);
}

static void
test_new_child_matters_after_a_move_only(void **state)
{
	(void)state;
	parent_cgroup_note_child(&watch);
	assert_true(watch.is_told);
	watch.has_moved = true;
	parent_cgroup_note_child(&watch);
	assert_false(watch.is_told);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_group_there_is_no_look),
		cmocka_unit_test_setup(test_looks_four_times_on_its_own, begin),
		cmocka_unit_test_setup(test_late_look_stands_for_all_before_it, begin),
		cmocka_unit_test_setup(test_awake_parent_looks_once_a_second, begin),
		cmocka_unit_test_setup(
		    test_mover_that_was_not_told_is_told_a_second_later, begin),
		cmocka_unit_test_setup(test_new_child_matters_after_a_move_only, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
