/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's guesses about the guest's answers to lone frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "slirp-worker/answers.h"

#define MOST 16

static void
test_two_answers_of_one_length_are_a_guess(void **state)
{
	struct answers answers = { 0 };

	(void)state;
	assert_int_equal(answers_expected(&answers, MOST), MOST);
	answers_were(&answers, 2);
	assert_int_equal(answers_expected(&answers, MOST), MOST);
	answers_were(&answers, 2);
	assert_int_equal(answers_expected(&answers, MOST), 2);
	answers_were(&answers, 1);
	assert_int_equal(answers_expected(&answers, MOST), MOST);
}

/* A guest that delays its acknowledgements is not asked at all. */
static void
test_no_answer_is_a_guess_too(void **state)
{
	struct answers answers = { .n = 1 };

	(void)state;
	answers_were(&answers, 0);
	assert_int_equal(answers_expected(&answers, MOST), MOST);
	answers_were(&answers, 0);
	assert_int_equal(answers_expected(&answers, MOST), 0);
}

static void
test_a_frame_that_was_left_ends_the_guess(void **state)
{
	struct answers answers = { 0 };

	(void)state;
	answers_were(&answers, 1);
	answers_were(&answers, 1);
	answers_forget(&answers);
	assert_int_equal(answers_expected(&answers, MOST), MOST);
	answers_were(&answers, 1);
	assert_int_equal(answers_expected(&answers, MOST), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_answers_of_one_length_are_a_guess),
		cmocka_unit_test(test_no_answer_is_a_guess_too),
		cmocka_unit_test(test_a_frame_that_was_left_ends_the_guess),
	};

	return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
