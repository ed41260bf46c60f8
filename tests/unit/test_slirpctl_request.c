/* SPDX-License-Identifier: BSD-2-Clause */
/* slirpctl/request: turns arguments into the right bytes of JSON, or an error. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "slirpctl/request.h"

static char logged[LOG_TEXT_SIZE];

static void
keep_line(enum log_level level, const char *text)
{
	(void)level;
	snprintf(logged, sizeof(logged), "%s", text);
}

/* Takes ownership of request. */
static void
assert_json(json_t *request, const char *expected)
{
	json_auto_t *owned = request;
	autofree char *text = json_dumps(owned, JSON_COMPACT);

	if (text == NULL)
		fail_msg("refused: %s", logged);
	assert_string_equal(text, expected);
}

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

#define ASSERT_ADDS(arguments, ...) \
	assert_json(request_add(ARGS(__VA_ARGS__)), \
	    "{\"execute\":\"add_hostfwd\",\"arguments\":{" arguments "}}")

#define ASSERT_ADD_REFUSED(text, ...) \
	do { \
		assert_null(request_add(ARGS(__VA_ARGS__))); \
		assert_string_equal(logged, text); \
	} while (0)

static void
test_add(void **state)
{
	(void)state;
	ASSERT_ADDS("\"proto\":\"tcp\",\"host_port\":8080,\"guest_port\":80", "tcp",
	    "8080", "80");
	ASSERT_ADDS("\"proto\":\"tcp\",\"host_addr\":\"127.0.0.1\",\"host_port\":8080,"
		    "\"guest_addr\":\"10.0.2.100\",\"guest_port\":80",
	    "tcp", "127.0.0.1:8080", "10.0.2.100:80");
	ASSERT_ADDS("\"proto\":\"udp\",\"host_port\":\"5353-5360\",\"guest_port\":53",
	    "udp", "5353-5360", "53");
	ASSERT_ADDS("\"proto\":\"tcp6\",\"host_addr\":\"::1\",\"host_port\":8080,"
		    "\"guest_addr\":\"fd00::2\",\"guest_port\":80",
	    "tcp6", "[0:0::1]:8080", "[fd00::2]:80");
	ASSERT_ADDS("\"proto\":\"udp4\",\"host_addr\":\"0.0.0.0\","
		    "\"host_port\":\"1-65535\",\"guest_port\":1",
	    "udp4", "0.0.0.0:1-65535", "1");
	/* A range of one port becomes a single port, which slirp4netns accepts. */
	ASSERT_ADDS("\"proto\":\"tcp4\",\"host_port\":80,\"guest_port\":80", "tcp4",
	    "80-80", "80-80");
}

static void
test_add_refused(void **state)
{
	(void)state;
	ASSERT_ADD_REFUSED("add: protocol 'sctp': not tcp, udp, tcp4, udp4, tcp6 or udp6",
	    "sctp", "80", "80");
	ASSERT_ADD_REFUSED("add: protocol 'TCP': not tcp, udp, tcp4, udp4, tcp6 or udp6",
	    "TCP", "80", "80");
	ASSERT_ADD_REFUSED("add: HOST '0': not a port from 1 to 65535", "tcp", "0", "80");
	ASSERT_ADD_REFUSED("add: GUEST 'http': not a port from 1 to 65535", "tcp", "80",
	    "http");
	ASSERT_ADD_REFUSED(
	    "add: HOST '::1:80': not an IP address; IPv6 is written in brackets", "tcp",
	    "::1:80", "80");
	ASSERT_ADD_REFUSED("add: HOST '90-80': the last port is below the first", "tcp",
	    "90-80", "80");
	ASSERT_ADD_REFUSED(
	    "add: GUEST '80-90': a range belongs in HOST; give its first port here",
	    "tcp", "80-90", "80-90");
}

static void
test_ids(void **state)
{
	static const char *const bad[] = { "", "0", "-1", "+1", " 1", "1 ", "1x", "all",
		"0x10", "4294967296", "99999999999999999999" };
	char text[128];

	(void)state;
	assert_json(request_ids(ARGS("1", "4294967295", "007"), 3), "[1,4294967295,7]");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(request_ids(ARGS("1", bad[i]), 2));
		snprintf(text, sizeof(text), "remove: '%s' is not the id of a forward",
		    bad[i]);
		assert_string_equal(logged, text);
	}
	assert_json(request_remove(7),
	    "{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":7}}");
}

static void
test_subscribe(void **state)
{
	(void)state;
	assert_json(request_subscribe(NULL, 0), "{\"execute\":\"subscribe\"}");
	assert_json(request_subscribe(ARGS("HOSTFWD_ADDED", "x\"y"), 2),
	    "{\"execute\":\"subscribe\",\"arguments\":{\"events\":"
	    "[\"HOSTFWD_ADDED\",\"x\\\"y\"]}}");
	assert_null(request_subscribe(ARGS("A", "\xff"), 2));
	assert_string_equal(logged, "events: '\xff' is not a name");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_add_refused),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_subscribe),
	};

	log_set_emit(keep_line);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
