/* SPDX-License-Identifier: BSD-2-Clause */
/* slirpctl/show and slirpctl/reply: how replies are printed, whatever they contain. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "slirpctl/reply.h"
#include "slirpctl/view/show.h"

typedef void show_fn(FILE *out, const json_t *value);

static char logged[LOG_TEXT_SIZE];

/* Columns of the terminal; 0: no limit. */
static unsigned int n_columns;

static void
forwards(FILE *out, const json_t *entries)
{
	struct view view = { .n_columns = n_columns };

	show_forwards(out, entries, &view);
}

static void
connections(FILE *out, const json_t *entries)
{
	struct view view = { .n_columns = n_columns };

	show_connections(out, entries, &view);
}

static void
keep_line(enum log_level level, const char *text)
{
	(void)level;
	snprintf(logged, sizeof(logged), "%s", text);
}

/* Returns show's output for a JSON text; the caller frees it. */
static char *
shown(show_fn *show, const char *json)
{
	json_error_t error;
	json_auto_t *value = json_loads(json, JSON_DECODE_ANY, &error);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(value);
	assert_non_null(out);
	show(out, value);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
assert_shows(show_fn *show, const char *json, const char *expected)
{
	autofree char *text = shown(show, json);

	assert_string_equal(text, expected);
}

static void
test_forwards(void **state)
{
	(void)state;
	assert_shows(forwards, "[]", "ID  PROTO  HOST  GUEST\n");
	assert_shows(forwards,
	    "[{\"id\":9,\"proto\":\"tcp\",\"host_addr\":\"0.0.0.0\",\"host_port\":80,"
	    "\"guest_addr\":\"10.0.2.100\",\"guest_port\":8080},"
	    "{\"id\":1000,\"proto\":\"udp\",\"host_addr\":\"::1\",\"host_port\":5000,"
	    "\"host_port_end\":5009,\"guest_addr\":\"fd00::2\",\"guest_port\":53,"
	    "\"colour\":\"blue\"}]",
	    "  ID  PROTO  HOST             GUEST\n"
	    "   9  tcp    0.0.0.0:80       10.0.2.100:8080\n"
	    "1000  udp    [::1]:5000-5009  [fd00::2]:53-62\n");
}

static void
test_forwards_with_missing_or_odd_values(void **state)
{
	(void)state;
	assert_shows(forwards,
	    "[{},{\"id\":\"x\",\"proto\":null,\"host_addr\":[1],\"host_port\":-1,"
	    "\"host_port_end\":9223372036854775807,\"guest_port\":9223372036854775807}]",
	    "ID  PROTO  HOST    GUEST\n"
	    "-       -  -:-     -:-\n"
	    "x       -  [1]:-1  -:9223372036854775807\n");
}

static void
test_connections(void **state)
{
	static const char *const titles =
	    "PROTO  STATE  SOURCE  DESTINATION  RECV-Q  SEND-Q  FORWARD  IN  OUT  "
	    "RETRANS  RTT  AGE\n";

	(void)state;
	assert_shows(connections, "[]", titles);
	assert_shows(connections,
	    "[{\"proto\":\"tcp\",\"state\":\"ESTABLISHED\",\"hostfwd\":false,"
	    "\"source_addr\":\"10.0.2.100\",\"source_port\":40000,"
	    "\"dest_addr\":\"203.0.113.1\",\"dest_port\":80,\"recv_queue_bytes\":0,"
	    "\"send_queue_bytes\":123456789,\"bytes_in\":5000,\"bytes_out\":0,\"retransmitted_bytes\":6,\"round_trip_us\":1500,"
	    "\"age_ms\":70000},{\"proto\":\"udp\",\"hostfwd\":true,"
	    "\"source_addr\":\"::1\",\"source_port\":5353,\"dest_addr\":\"fd00::64\","
	    "\"dest_port\":53,\"recv_queue_bytes\":7,\"send_queue_bytes\":0}]",
	    "PROTO  STATE        SOURCE            DESTINATION     RECV-Q     SEND-Q  "
	    "FORWARD    IN  OUT  RETRANS   RTT    AGE\n"
	    "tcp    ESTABLISHED  10.0.2.100:40000  203.0.113.1:80       0  123456789  "
	    "no       5000    0        6  1500  70000\n"
	    "udp    -            [::1]:5353        [fd00::64]:53        7          0  "
	    "yes         -    -        -     -      -\n");
}

static void
test_fields(void **state)
{
	(void)state;
	assert_shows(show_fields, "{}", "");
	assert_shows(show_fields,
	    "{\"frames\":{\"in\":7,\"out\":12345},\"drops\":{\"short\":0}}",
	    "frames.in        7\n"
	    "frames.out   12345\n"
	    "drops.short      0\n");
	assert_shows(show_fields,
	    "{\"name\":\"a b\",\"mtu\":1500,\"ok\":false,\"none\":null,\"list\":[\"a\",2],"
	    "\"empty\":[],\"real\":0.1,\"roles\":[{\"pid\":1},{\"pid\":2}]}",
	    "name         a b\n"
	    "mtu          1500\n"
	    "ok           no\n"
	    "none         -\n"
	    "list         a 2\n"
	    "empty        -\n"
	    "real         0.1\n"
	    "roles.0.pid  1\n"
	    "roles.1.pid  2\n");
}

static void
test_events(void **state)
{
	(void)state;
	assert_shows(show_event,
	    "{\"event\":\"HOSTFWD_ADDED\",\"data\":{\"id\":1,\"proto\":\"tcp\"},"
	    "\"timestamp\":{\"seconds\":1700000000,\"microseconds\":42}}",
	    "2023-11-14T22:13:20.000042Z HOSTFWD_ADDED id=1 proto=tcp\n");
	assert_shows(show_event,
	    "{\"event\":\"X\",\"data\":{},\"timestamp\":"
	    "{\"seconds\":9223372036854775807,\"microseconds\":-1}}",
	    "- X\n");
	assert_shows(show_event, "{\"event\":7}", "1970-01-01T00:00:00.000000Z 7\n");
}

static void
test_nothing_reaches_the_terminal_raw(void **state)
{
	/* Escape, DEL, a C1 control in UTF-8, a new line, a backslash. */
	static const char bad[] = "\\u001b[2J\\u007f\\u009b31m\\n\\\\";
	static const char escaped[] = "\\x1b[2J\\x7f\\xc2\\x9b31m\\x0a\\x5c";
	char json[512], expected[512];

	(void)state;
	snprintf(json, sizeof(json), "{\"%s\":\"%s\"}", bad, bad);
	snprintf(expected, sizeof(expected), "%s  %s\n", escaped, escaped);
	assert_shows(show_fields, json, expected);

	snprintf(json, sizeof(json),
	    "[{\"id\":\"%s\",\"proto\":\"p\",\"host_addr\":\"h\",\"guest_addr\":\"%s\"}]",
	    bad, bad);
	snprintf(expected, sizeof(expected),
	    "%-*s  PROTO  HOST  GUEST\n%s  p      h:-   %s:-\n", (int)strlen(escaped),
	    "ID", escaped, escaped);
	assert_shows(forwards, json, expected);

	snprintf(json, sizeof(json), "{\"event\":\"%s\",\"data\":{\"%s\":\"%s\"}}", bad,
	    bad, bad);
	snprintf(expected, sizeof(expected), "1970-01-01T00:00:00.000000Z %s %s=%s\n",
	    escaped, escaped, escaped);
	assert_shows(show_event, json, expected);

	snprintf(json, sizeof(json), "{\"%s\":\"%s\"}", bad, bad);
	assert_shows(show_json, json,
	    "{\"\\u001B[2J\\u007f\\u009B31m\\n\\\\\":\"\\u001B[2J\\u007f\\u009B31m\\n\\\\\"}"
	    "\n");
}

static void
test_long_and_deep_values_are_cut(void **state)
{
	char json[4096], name[300];
	char deep[4096] = "";
	autofree char *text = NULL;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(json, sizeof(json),
	    "[{\"id\":\"%s%s\",\"host_addr\":\"%s\",\"host_port\":\"%s\"}]", name, name,
	    name, name);
	text = shown(forwards, json);
	assert_true(strlen(text) < 1024);
	assert_non_null(strstr(text, "nnn...      -  nnn"));
	assert_non_null(strstr(text, "nnn...:nnn"));
	assert_non_null(strstr(text, "nnn...  -:-\n"));

	for (int i = 0; i < 500; i++)
		strcat(deep, "{\"a\":");
	strcat(deep, "1");
	for (int i = 0; i < 500; i++)
		strcat(deep, "}");
	free(text);
	text = shown(show_fields, deep);
	assert_int_equal(strncmp(text, "a.a.a.a.a.a  {\"a\":", 18), 0);
	assert_true(strlen(text) < 512);
}

static void
test_columns_that_do_not_fit_are_on_a_second_line(void **state)
{
	static const char *const two =
	    "[{\"id\":9,\"proto\":\"tcp\",\"host_addr\":\"0.0.0.0\",\"host_port\":80,"
	    "\"guest_addr\":\"10.0.2.100\",\"guest_port\":8080},"
	    "{\"id\":10,\"proto\":\"udp\",\"host_addr\":\"::1\",\"host_port\":53,"
	    "\"guest_addr\":\"fd00::2\",\"guest_port\":53}]";

	(void)state;
	/* The table has 38 columns. */
	n_columns = 38;
	assert_shows(forwards, two,
	    "ID  PROTO  HOST        GUEST\n"
	    " 9  tcp    0.0.0.0:80  10.0.2.100:8080\n"
	    "10  udp    [::1]:53    [fd00::2]:53\n");
	n_columns = 37;
	assert_shows(forwards, two,
	    "ID  PROTO  HOST\n"
	    "    GUEST\n"
	    " 9  tcp    0.0.0.0:80\n"
	    "    10.0.2.100:8080\n"
	    "10  udp    [::1]:53\n"
	    "    [fd00::2]:53\n");
	n_columns = 1;
	assert_shows(forwards, "[]", "ID\n    PROTO\n    HOST\n    GUEST\n");
	n_columns = 0;
}

static void
test_ipv4_addresses_of_ipv6_sockets(void **state)
{
	(void)state;
	assert_shows(forwards,
	    "[{\"id\":1,\"proto\":\"tcp6\",\"host_addr\":\"::\",\"host_port\":80,"
	    "\"guest_addr\":\"::ffff:10.0.2.100\",\"guest_port\":80}]",
	    "ID  PROTO  HOST     GUEST\n"
	    " 1  tcp6   [::]:80  10.0.2.100:80\n");
}

static enum outcome
value_of(const char *json, bool is_verbose, const char **return_text)
{
	static char dumped[512];
	json_auto_t *reply = json_loads(json, 0, NULL);
	const json_t *value = NULL;
	enum outcome outcome;

	assert_non_null(reply);
	logged[0] = '\0';
	outcome = reply_value(reply, "/s", "add", is_verbose, &value);
	if (outcome == OUTCOME_OK) {
		autofree char *text = json_dumps(value, JSON_COMPACT);

		snprintf(dumped, sizeof(dumped), "%s", text);
		*return_text = dumped;
	}
	return outcome;
}

static void
test_reply_value(void **state)
{
	const char *text = NULL;

	(void)state;
	assert_int_equal(value_of("{\"return\":{\"id\":1}}", false, &text), OUTCOME_OK);
	assert_string_equal(text, "{\"id\":1}");
	assert_int_equal(value_of("{\"return\":{\"entries\":[]},\"entries\":[]}", false,
			     &text),
	    OUTCOME_OK);
	assert_string_equal(text, "{\"entries\":[]}");
	assert_int_equal(value_of("{\"entries\":[1]}", false, &text), OUTCOME_OK);
	assert_string_equal(text, "{\"entries\":[1]}");

	assert_int_equal(value_of("{\"error\":{\"desc\":\"bad request: X\"}}", false,
			     &text),
	    OUTCOME_REFUSED);
	assert_string_equal(logged, "add: X");
	assert_int_equal(value_of("{\"error\":{\"desc\":\"bad request: X\","
				  "\"class\":\"C\",\"detail\":\"because\"}}",
			     true, &text),
	    OUTCOME_REFUSED);
	assert_string_equal(logged, "add: bad request: X: because");
	assert_int_equal(value_of("{\"error\":{\"desc\":\"bad request: X\","
				  "\"class\":\"C\",\"detail\":\"because\"}}",
			     false, &text),
	    OUTCOME_REFUSED);
	assert_string_equal(logged, "add: because");
	assert_int_equal(value_of("{\"error\":7}", false, &text), OUTCOME_REFUSED);
	assert_string_equal(logged, "add: refused");

	assert_int_equal(value_of("{}", false, &text), OUTCOME_NO_REPLY);
	assert_string_equal(logged, "/s: add: the reply has neither result nor error");
	assert_int_equal(value_of("{\"return\":1}", false, &text), OUTCOME_NO_REPLY);
}

static void
test_reply_parse(void **state)
{
	static const char *const bad[] = { "", "x", "[]", "1", "{", "{\"a\":\"\xff\"}",
		"{} {}", "{}x", "{\"a\":\"\\u0000\"}" };
	json_t *reply = reply_parse("/s", "{\"a\":1}\r\n ", 10);

	(void)state;
	assert_non_null(reply);
	json_decref(reply);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		logged[0] = '\0';
		assert_null(reply_parse("/s", bad[i], strlen(bad[i])));
		assert_int_equal(strncmp(logged, "/s: ", 4), 0);
	}
	assert_null(reply_parse("/s", "{}\0", 3));
}

static void
test_reply_not_found(void **state)
{
	json_auto_t *not_found =
	    json_loads("{\"error\":{\"class\":\"NotFound\"}}", 0, NULL);
	json_auto_t *other = json_loads("{\"error\":{\"class\":\"Busy\"}}", 0, NULL);
	json_auto_t *plain = json_loads("{\"error\":{\"desc\":\"bad\"}}", 0, NULL);

	(void)state;
	assert_true(reply_is_not_found(not_found));
	assert_false(reply_is_not_found(other));
	assert_false(reply_is_not_found(plain));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_forwards_with_missing_or_odd_values),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_nothing_reaches_the_terminal_raw),
		cmocka_unit_test(test_long_and_deep_values_are_cut),
		cmocka_unit_test(test_columns_that_do_not_fit_are_on_a_second_line),
		cmocka_unit_test(test_ipv4_addresses_of_ipv6_sockets),
		cmocka_unit_test(test_reply_value),
		cmocka_unit_test(test_reply_parse),
		cmocka_unit_test(test_reply_not_found),
	};

	setenv("TZ", "UTC0", 1);
	log_set_emit(keep_line);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
