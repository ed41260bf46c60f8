/* SPDX-License-Identifier: BSD-2-Clause */
/* api/request: parses a client's text to a checked request or the right error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "api/request/request.h"
#include "api/request/forward.h"
#include "ipc/validate.h"

static struct api_request request;
static struct api_error error;

static int
parse_n(const char *text, size_t len, bool in_session)
{
	/* A block of exactly this size, so that a sanitizer sees every byte read beyond
	 * it. */
	char *exact = malloc(len ? len : 1);
	int result;

	assert_non_null(exact);
	memcpy(exact, text, len);
	memset(&error, 0, sizeof(error));
	result = api_request_parse(&request, exact, len, in_session, &error);
	free(exact);
	return result;
}

static void
refused_n(const char *text, size_t len, const char *desc, enum api_error_class class)
{
	for (int in_session = 0; in_session < 2; in_session++) {
		if (parse_n(text, len, in_session) != -1)
			fail_msg("not refused: %.*s", (int)len, text);
		if (strcmp(error.desc, desc) != 0)
			fail_msg("%.*s: expected \"%s\", got \"%s\"", (int)len, text,
			    desc, error.desc);
		assert_int_equal(error.class, class);
		assert_true(error.detail[0] != '\0');
	}
}

static void
refused(const char *text, const char *desc, enum api_error_class class)
{
	refused_n(text, strlen(text), desc, class);
}

static void
taken(const char *text)
{
	if (parse_n(text, strlen(text), false) == -1)
		fail_msg("%s: %s: %s", text, error.desc, error.detail);
}

/* An add_hostfwd with another value for one argument; NULL leaves it out. */
static const char *
add_with(const char *name, const char *value)
{
	static const char *const right[][2] = {
		{ "proto", "\"tcp\"" },
		{ "host_addr", "\"0.0.0.0\"" },
		{ "host_port", "8080" },
		{ "guest_addr", "\"10.0.2.100\"" },
		{ "guest_port", "80" },
	};
	static char text[8192];
	size_t len =
	    (size_t)sprintf(text, "{\"execute\":\"add_hostfwd\",\"arguments\":{");

	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		const char *json = strcmp(right[i][0], name) == 0 ? value : right[i][1];

		if (json)
			len += (size_t)sprintf(text + len, "%s\"%s\":%s",
			    text[len - 1] == '{' ? "" : ",", right[i][0], json);
	}
	sprintf(text + len, "}}");
	return text;
}

static void
bad_argument(const char *name, const char *value)
{
	char desc[64];

	sprintf(desc, "add_hostfwd: bad arguments.%s", name);
	refused(add_with(name, value), desc, API_ERROR_BadArgument);
}

static void
test_add_forward_as_clients_send_it(void **state)
{
	struct ipc_add_forward msg = { 0 };
	char text[API_FORWARD_SIZE];
	const char *why;

	(void)state;
	taken(add_with("", NULL));
	assert_string_equal(request.verb->name, "add_hostfwd");
	msg.forward = api_forward_of(&request.args);
	assert_int_equal(ipc_validate_add_forward(&msg, &why), 0);
	assert_string_equal(api_forward_str(&msg.forward, text),
	    "tcp 0.0.0.0:8080 -> 10.0.2.100:80");
}

static void
forward_is(const char *text, const char *expected)
{
	struct ipc_add_forward msg = { 0 };
	char buf[API_FORWARD_SIZE];
	const char *why;

	taken(text);
	msg.forward = api_forward_of(&request.args);
	assert_int_equal(ipc_validate_add_forward(&msg, &why), 0);
	assert_string_equal(api_forward_str(&msg.forward, buf), expected);
}

static void
test_defaults_and_families(void **state)
{
	(void)state;
	forward_is(add_with("host_addr", NULL), "tcp 0.0.0.0:8080 -> 10.0.2.100:80");
	forward_is(add_with("host_addr", "\"\""), "tcp 0.0.0.0:8080 -> 10.0.2.100:80");
	forward_is(add_with("host_addr", "null"), "tcp 0.0.0.0:8080 -> 10.0.2.100:80");
	forward_is(add_with("guest_addr", NULL), "tcp 0.0.0.0:8080 -> guest:80");
	forward_is(add_with("guest_addr", "\"\""), "tcp 0.0.0.0:8080 -> guest:80");
	forward_is(add_with("proto", "\"udp\""), "udp 0.0.0.0:8080 -> 10.0.2.100:80");
	forward_is(add_with("proto", "\"udp4\""), "udp 0.0.0.0:8080 -> 10.0.2.100:80");
	forward_is(add_with("host_addr", "\"::1\""), "tcp [::1]:8080 -> 10.0.2.100:80");
	forward_is(add_with("host_port", "\"8000-8099\""),
	    "tcp 0.0.0.0:8000-8099 -> 10.0.2.100:80-179");
	forward_is(add_with("host_port", "\"1-1\""), "tcp 0.0.0.0:1 -> 10.0.2.100:80");
	forward_is("{\"execute\":\"add_hostfwd\",\"arguments\":"
		   "{\"proto\":\"tcp6\",\"host_port\":1,\"guest_port\":65535}}",
	    "tcp [::]:1 -> guest:65535");
	assert_int_equal(api_forward_of(&request.args).guest_addr.is_ipv6, 1);
	/* Some languages print whole numbers in this form. */
	forward_is(add_with("guest_port", "80.0"), "tcp 0.0.0.0:8080 -> 10.0.2.100:80");
	forward_is(add_with("guest_port", "8e1"), "tcp 0.0.0.0:8080 -> 10.0.2.100:80");
	forward_is(add_with("guest_port", "65535"),
	    "tcp 0.0.0.0:8080 -> 10.0.2.100:65535");
	forward_is(add_with("host_port", "1"), "tcp 0.0.0.0:1 -> 10.0.2.100:80");
}

/* Values that are not a port, an address or a protocol. */
static void
test_wrong_types_of_every_argument(void **state)
{
	static const char *const never[] = { "true", "false", "[]", "{}", "[80]", "-1",
		"0", "0.5", "65536", "1e300", "-0.0", "4294967376", "9223372036854775807",
		"\"80\"", "\" \"", "\"tcp \"", "\"TCP\"", "\"icmp\"" };
	static const char *const names[] = { "proto", "host_addr", "host_port",
		"guest_addr", "guest_port" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t k = 0; k < sizeof(never) / sizeof(never[0]); k++)
			bad_argument(names[i], never[k]);
	bad_argument("proto", NULL);
	bad_argument("proto", "null");
	bad_argument("proto", "\"\"");
	bad_argument("host_port", NULL);
	bad_argument("host_port", "null");
	bad_argument("guest_port", NULL);
	bad_argument("guest_port", "\"80-81\"");
}

static void
test_bad_ranges(void **state)
{
	static const char *const bad[] = { "\"-\"", "\"1-\"", "\"-1\"", "\"2-1\"",
		"\"0-1\"", "\"1-65536\"", "\"1 - 2\"", "\"1-2-3\"", "\"1-2 \"",
		"\" 1-2\"", "\"+1-2\"", "\"1-99999999999999999999\"", "\"8080\"", "\"\"",
		"\"1.2.3.4:1-2\"", "\"[::1]:1-2\"", "\"1-2\\n\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		bad_argument("host_port", bad[i]);
	taken(add_with("host_port", "\"1-65456\""));
	/* 65,457 ports from 80 on: one too many. */
	refused(add_with("host_port", "\"1-65457\""),
	    "add_hostfwd: bad arguments.guest_port", API_ERROR_BadArgument);
}

static void
test_bad_addresses(void **state)
{
	static const char *const bad[] = { "\"localhost\"", "\"1.2.3\"", "\"1.2.3.4.5\"",
		"\"01.2.3.4\"", "\"256.1.1.1\"", "\"1.2.3.4 \"", "\"::1%lo\"",
		"\"[::1]\"", "\":::\"", "\"1.2.3.4/32\"", "\"0\"", "\"\\u0661.2.3.4\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bad_argument("host_addr", bad[i]);
		bad_argument("guest_addr", bad[i]);
	}
	refused("{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"tcp4\","
		"\"host_addr\":\"::\",\"host_port\":1,\"guest_port\":1}}",
	    "add_hostfwd: bad arguments.host_addr", API_ERROR_BadArgument);
	refused("{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"udp6\","
		"\"host_addr\":\"0.0.0.0\",\"host_port\":1,\"guest_port\":1}}",
	    "add_hostfwd: bad arguments.host_addr", API_ERROR_BadArgument);
}

/* slirp4netns checks them in this order. */
static void
test_first_bad_argument_is_named(void **state)
{
	(void)state;
	refused("{\"execute\":\"add_hostfwd\"}", "add_hostfwd: bad arguments.proto",
	    API_ERROR_BadArgument);
	refused("{\"execute\":\"add_hostfwd\",\"arguments\":[]}",
	    "add_hostfwd: bad arguments.proto", API_ERROR_BadArgument);
	refused("{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"tcp\","
		"\"host_addr\":1,\"host_port\":0}}",
	    "add_hostfwd: bad arguments.host_addr", API_ERROR_BadArgument);
	refused("{\"execute\":\"remove_hostfwd\"}", "remove_hostfwd: bad arguments.id",
	    API_ERROR_BadArgument);
}

static void
test_remove_forward_ids(void **state)
{
	static const char *const bad[] = { "0", "-1", "1.5", "4294967296", "\"1\"",
		"null", "true", "[]", "{}" };
	char text[128];

	(void)state;
	taken("{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":4294967295}}");
	assert_int_equal(request.args.id, UINT32_MAX);
	taken("{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":1}}");
	assert_int_equal(request.args.id, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sprintf(text,
		    "{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":%s}}", bad[i]);
		refused(text, "remove_hostfwd: bad arguments.id", API_ERROR_BadArgument);
	}
}

static void
test_what_is_no_json(void **state)
{
	static const char *const texts[] = { "", " ", "{", "}", "{]", "[}", "nonsense",
		"{execute:1}", "{'execute':1}", "{\"execute\":}", "{\"execute\"}", "{,}",
		"{\"a\":1,}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":NaN}",
		"{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\ud800\"}",
		"{\"a\":99999999999999999999}", "{\"a\":1e999}", "{\"a\":1}{\"a\":1}",
		"{\"a\":1}x", "{\"a\":\"\t\"}", "/**/{}", "{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\xf4\x90\x80\x80\"}", "\xef\xbb\xbf{}" };
	static const char with_nul[] = "{\"execute\":\"list_hostfwd\0\"}";
	static const char whole[] =
	    "{\"execute\":\"list_hostfwd\",\"arguments\":{\"a\":[1.5,"
	    "true,null,\"\\u00e9\\ud83d\\ude00\"]}}";

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refused(texts[i], "cannot parse JSON", API_ERROR_ParseError);
	refused_n(with_nul, sizeof(with_nul) - 1, "cannot parse JSON",
	    API_ERROR_ParseError);
	refused("{\"execute\":\"list_hostfwd\\u0000\"}", "cannot parse JSON",
	    API_ERROR_ParseError);
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		refused_n(whole, len, "cannot parse JSON", API_ERROR_ParseError);
	taken(whole);
}

static void
test_duplicate_keys_are_refused(void **state)
{
	(void)state;
	refused("{\"execute\":\"list_hostfwd\",\"execute\":\"list_hostfwd\"}",
	    "cannot parse JSON", API_ERROR_ParseError);
	refused("{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":1,\"id\":2}}",
	    "cannot parse JSON", API_ERROR_ParseError);
}

static void
test_what_is_no_request(void **state)
{
	static const char *const no_object[] = { "[]", "[{\"execute\":1}]", "5", "-1.5",
		"\"text\"", "true", "null" };
	static const char *const no_execute[] = { "{}", "{\"arguments\":{}}",
		"{\"execute\":1}", "{\"execute\":null}", "{\"execute\":[]}",
		"{\"execute\":{}}" };
	static const char *const unknown[] = { "{\"execute\":\"\"}",
		"{\"execute\":\"list\"}", "{\"execute\":\"list_hostfwd \"}",
		"{\"execute\":\"LIST_HOSTFWD\"}", "{\"execute\":\"\xc3\xa9\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof(no_object) / sizeof(no_object[0]); i++)
		refused(no_object[i], "json_object() failed", API_ERROR_BadRequest);
	for (size_t i = 0; i < sizeof(no_execute) / sizeof(no_execute[0]); i++)
		refused(no_execute[i], "no execute found", API_ERROR_BadRequest);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		refused(unknown[i], "unknown execute", API_ERROR_UnknownCommand);
}

/* Version 1 ignores unknown members, as slirp4netns does. A session refuses them. */
static void
test_unknown_members(void **state)
{
	static const char more[] = "{\"execute\":\"list_hostfwd\",\"more\":1}";
	static const char argument[] =
	    "{\"execute\":\"list_hostfwd\",\"arguments\":{\"more\":1}}";
	/* Some languages write an empty table in this form. */
	static const char no_object[] = "{\"execute\":\"list_hostfwd\",\"arguments\":[]}";

	(void)state;
	taken(more);
	taken(argument);
	taken(no_object);
	assert_int_equal(parse_n(more, sizeof(more) - 1, true), -1);
	assert_string_equal(error.desc, "unknown member");
	assert_int_equal(parse_n(argument, sizeof(argument) - 1, true), -1);
	assert_string_equal(error.desc, "list_hostfwd: bad arguments");
	assert_int_equal(parse_n(no_object, sizeof(no_object) - 1, true), -1);
	assert_string_equal(error.desc, "list_hostfwd: bad arguments");
	refused("{\"execute\":\"add_hostfwd\",\"arguments\":1}",
	    "add_hostfwd: bad arguments.proto", API_ERROR_BadArgument);
}

static void
id_is(const char *json, const char *expected)
{
	char text[1024];

	sprintf(text, "{\"execute\":\"list_hostfwd\",\"id\":%s}", json);
	assert_int_equal(parse_n(text, strlen(text), true), 0);
	assert_int_equal(request.id_len, strlen(expected));
	assert_memory_equal(request.id, expected, strlen(expected));
}

static void
test_ids_of_requests(void **state)
{
	static const char first[] = "{\"execute\":\"qmp_capabilities\",\"id\":7}";
	char json[API_ID_SIZE + 2];
	char text[1024];

	(void)state;
	id_is("1", "1");
	id_is("null", "null");
	id_is("\"a\\u0062\"", "\"ab\"");
	id_is("{ \"z\" : [ 1 , 2.5 ], \"a\" : true }", "{\"z\":[1,2.5],\"a\":true}");
	/* The longest id: 254 letters and two quotes. One more is too long. */
	memset(json, 'x', sizeof(json));
	json[0] = '"';
	json[API_ID_SIZE - 1] = '"';
	json[API_ID_SIZE] = '\0';
	id_is(json, json);
	json[API_ID_SIZE - 1] = 'x';
	json[API_ID_SIZE] = '"';
	json[API_ID_SIZE + 1] = '\0';
	sprintf(text, "{\"execute\":\"list_hostfwd\",\"id\":%s}", json);
	assert_int_equal(parse_n(text, strlen(text), true), -1);
	assert_string_equal(error.desc, "bad id");
	/* Version 1 ignores the id, */
	taken(text);
	/* a request that begins a session does not, */
	assert_int_equal(parse_n(first, sizeof(first) - 1, false), 0);
	assert_int_equal(request.id_len, 1);
	/* and an error does not. */
	assert_int_equal(parse_n("{\"execute\":\"x\",\"id\":8}", 22, true), -1);
	assert_int_equal(request.id_len, 1);
}

static void
test_commands_of_sessions(void **state)
{
	static const char none[] =
	    "{\"execute\":\"subscribe\",\"arguments\":{\"events\":[]}}";
	static const char two[] = "{\"execute\":\"subscribe\",\"arguments\":{\"events\":"
				  "[\"HOSTFWD_ADDED\",\"PROCESS_EXITED\"]}}";
	static const char wrong[] =
	    "{\"execute\":\"subscribe\",\"arguments\":{\"events\":[\"X\"]}}";

	(void)state;
	assert_int_equal(parse_n(none, sizeof(none) - 1, false), -1);
	assert_int_equal(error.class, API_ERROR_UnknownCommand);
	assert_int_equal(parse_n(none, sizeof(none) - 1, true), 0);
	assert_true(request.args.events.is_given);
	assert_int_equal(request.args.events.set, 0);
	assert_int_equal(parse_n(two, sizeof(two) - 1, true), 0);
	assert_int_equal(request.args.events.set,
	    1U << API_EVENT_HOSTFWD_ADDED | 1U << API_EVENT_PROCESS_EXITED);
	assert_int_equal(parse_n(wrong, sizeof(wrong) - 1, true), -1);
	assert_string_equal(error.desc, "subscribe: bad arguments.events");
	assert_int_equal(parse_n("{\"execute\":\"subscribe\"}", 23, true), 0);
	assert_false(request.args.events.is_given);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_forward_as_clients_send_it),
		cmocka_unit_test(test_defaults_and_families),
		cmocka_unit_test(test_wrong_types_of_every_argument),
		cmocka_unit_test(test_bad_ranges),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test(test_first_bad_argument_is_named),
		cmocka_unit_test(test_remove_forward_ids),
		cmocka_unit_test(test_what_is_no_json),
		cmocka_unit_test(test_duplicate_keys_are_refused),
		cmocka_unit_test(test_what_is_no_request),
		cmocka_unit_test(test_unknown_members),
		cmocka_unit_test(test_ids_of_requests),
		cmocka_unit_test(test_commands_of_sessions),
	};

	api_request_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
