/* SPDX-License-Identifier: BSD-2-Clause */
/* Which hosts the guest is known to have a narrow path to. */
#include "slirp-worker/engine/discovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct errqueue_error too_big = {
	.is_for_guest = true,
	.icmp.mtu_bytes = 1280,
};

static struct inaddr
host(uint8_t last)
{
	return (struct inaddr){ .bytes = { 192, 0, 2, last } };
}

static bool
is_told(const struct discovery_paths *paths, uint8_t last)
{
	const struct inaddr to = host(last);
	struct discovery discovery;

	discovery_begin(&discovery, paths, &to);
	return discovery.is_told;
}

/* A socket to the host gets the error. */
static void
tell(struct discovery *discovery, struct discovery_paths *paths, uint8_t last)
{
	const struct inaddr to = host(last);

	discovery_note(discovery, paths, &to, &too_big);
	assert_true(discovery->is_told);
}

static void
test_last_hosts_are_kept(void **state)
{
	struct discovery_paths paths = { 0 };

	(void)state;
	for (uint8_t i = 1; i <= DISCOVERY_PATHS_MAX + 2; i++) {
		struct discovery discovery = { 0 };

		assert_false(is_told(&paths, i));
		tell(&discovery, &paths, i);
		assert_true(is_told(&paths, i));
	}
	assert_false(is_told(&paths, 1));
	assert_false(is_told(&paths, 2));
	assert_true(is_told(&paths, 3));
}

static void
test_sockets_to_one_host_take_one_place(void **state)
{
	struct discovery sockets[2 * DISCOVERY_PATHS_MAX] = { 0 }, other = { 0 };
	struct discovery_paths paths = { 0 };

	(void)state;
	tell(&other, &paths, 1);
	for (size_t i = 0; i < 2 * DISCOVERY_PATHS_MAX; i++)
		tell(&sockets[i], &paths, 2);
	assert_true(is_told(&paths, 1));
	assert_true(is_told(&paths, 2));
}

static void
test_error_without_an_mtu_tells_of_no_path(void **state)
{
	const struct errqueue_error unreachable = { .is_for_guest = true };
	const struct inaddr to = host(1);
	struct discovery_paths paths = { 0 };
	struct discovery discovery = { 0 };

	(void)state;
	discovery_note(&discovery, &paths, &to, &unreachable);
	assert_false(is_told(&paths, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_hosts_are_kept),
		cmocka_unit_test(test_sockets_to_one_host_take_one_place),
		cmocka_unit_test(test_error_without_an_mtu_tells_of_no_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
