/* SPDX-License-Identifier: BSD-2-Clause */
/* The order in which name servers are asked. */
#include "resolver/servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/inaddr.h"

static struct servers servers;
static struct ipc_nameservers list;

static void
make_list(uint8_t n)
{
	list = (struct ipc_nameservers){ .n = n };
	for (uint8_t i = 0; i < n; i++)
		list.servers[i].addr = inaddr_from4(htonl(0xc0000201U + i));
	servers_set(&servers, &list);
}

static int
set_up(void **state)
{
	(void)state;
	servers = (struct servers){ 0 };
	make_list(3);
	return 0;
}

/* The servers that a question is sent to if none answers: "012012". */
static void
expect_way(struct course course, uint64_t now_ms, const char *wanted)
{
	char way[64] = "";
	int index;

	while ((index = servers_next(&servers, &course, now_ms)) != -1) {
		size_t len = strlen(way);

		assert_true(len < sizeof(way) - 1);
		snprintf(way + len, sizeof(way) - len, "%d", index);
		assert_int_equal(servers_is_last(&servers, &course),
		    strlen(way) == strlen(wanted));
	}
	assert_string_equal(way, wanted);
}

static void
test_all_in_order_twice(void **state)
{
	(void)state;
	expect_way(servers_begin(&servers), 0, "012012");
	expect_way(servers_begin(&servers), 0, "012012");
	make_list(1);
	expect_way(servers_begin(&servers), 0, "00");
	make_list(0);
	expect_way(servers_begin(&servers), 0, "");
}

static void
test_options(void **state)
{
	(void)state;
	assert_int_equal(servers.timeout_ms, SERVERS_TIMEOUT_MS);
	assert_int_equal(servers.patience_ms, SERVERS_PATIENCE_MS);
	list.attempts = 1;
	list.timeout_s = 3;
	list.rotate = 1;
	servers_set(&servers, &list);
	assert_int_equal(servers.timeout_ms, 3000);
	assert_int_equal(servers.patience_ms, 9000);
	expect_way(servers_begin(&servers), 0, "012");
	expect_way(servers_begin(&servers), 0, "120");
	expect_way(servers_begin(&servers), 0, "201");
	expect_way(servers_begin(&servers), 0, "012");
	list.timeout_s = IPC_NAMESERVER_TIMEOUT_MAX_S;
	list.attempts = IPC_NAMESERVER_ATTEMPTS_MAX;
	servers_set(&servers, &list);
	assert_int_equal(servers.patience_ms, SERVERS_PATIENCE_MAX_MS);
	list.timeout_s = 1;
	list.attempts = 1;
	servers_set(&servers, &list);
	assert_int_equal(servers.patience_ms, SERVERS_PATIENCE_MS);
}

static void
test_server_that_failed_is_not_asked_again(void **state)
{
	struct course course = servers_begin(&servers);

	(void)state;
	course.failed = 1 << 1;
	expect_way(course, 0, "0202");
	course.failed = 7;
	expect_way(course, 0, "");
}

static void
test_dead_server_is_asked_last_for_a_time(void **state)
{
	(void)state;
	/* One loss is none: the name may take long. */
	assert_false(servers_note_loss(&servers, 0, 1000));
	expect_way(servers_begin(&servers), 1000, "012012");
	assert_true(servers_note_loss(&servers, 0, 2000));
	/* Said once. */
	assert_false(servers_note_loss(&servers, 0, 3000));
	expect_way(servers_begin(&servers), 3000, "120120");
	expect_way(servers_begin(&servers), 3000 + SERVERS_DEAD_MS - 1, "120120");
	expect_way(servers_begin(&servers), 3000 + SERVERS_DEAD_MS, "012012");
	servers_note_answer(&servers, 0);
	assert_false(servers_note_loss(&servers, 0, 4000));
	expect_way(servers_begin(&servers), 4000, "012012");
}

static void
test_closed_port_is_dead_at_once(void **state)
{
	(void)state;
	assert_true(servers_note_refusal(&servers, 1, 1000));
	expect_way(servers_begin(&servers), 1000, "021021");
	/* If all are dead, all are asked. */
	servers_note_refusal(&servers, 0, 1000);
	servers_note_refusal(&servers, 2, 1000);
	expect_way(servers_begin(&servers), 1000, "012012");
	servers_note_answer(&servers, 2);
	expect_way(servers_begin(&servers), 1000, "201201");
}

static void
test_new_list_remembers_the_dead(void **state)
{
	struct ipc_nameserver first = list.servers[0];

	(void)state;
	servers_note_refusal(&servers, 0, 1000);
	list.servers[0] = list.servers[2];
	list.servers[2] = first;
	servers_set(&servers, &list);
	expect_way(servers_begin(&servers), 1000, "012012");
	servers_note_refusal(&servers, 0, 1000);
	list.servers[0].addr = inaddr_loopback(false);
	servers_set(&servers, &list);
	expect_way(servers_begin(&servers), 1000, "012012");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_all_in_order_twice),
		TEST(test_options),
		TEST(test_server_that_failed_is_not_asked_again),
		TEST(test_dead_server_is_asked_last_for_a_time),
		TEST(test_closed_port_is_dead_at_once),
		TEST(test_new_list_remembers_the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
