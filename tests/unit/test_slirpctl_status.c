/* SPDX-License-Identifier: BSD-2-Clause */
/* slirpctl/status, slirpctl/stats and slirpctl/units: state and counters for people. */

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
#include "slirpctl/view/stats.h"
#include "slirpctl/view/status.h"
#include "slirpctl/view/units.h"

/* 2023-11-14 22:13:20 UTC */
#define NOW 1700000000

static const struct view pipe_view = { 0 };
static const struct view terminal_80 = { .is_terminal = true, .n_columns = 80 };
static const struct view terminal_40 = { .is_terminal = true, .n_columns = 40 };

static const char network_text[] =
    "\"network\":{\"network_addr\":\"10.0.2.0\",\"prefix_len\":24,"
    "\"host_addr\":\"10.0.2.2\",\"nameserver_addr\":\"10.0.2.3\","
    "\"guest_addr\":\"10.0.2.100\",\"ipv6_enabled\":true,"
    "\"network_addr6\":\"fd00::\",\"host_addr6\":\"fd00::2\","
    "\"nameserver_addr6\":\"fd00::3\",\"mtu_bytes\":65520,\"dns_enabled\":true,"
    "\"host_loopback_allowed\":false}";

#define COMPLETE "{\"parent\":{\"missing\":[]},\"api\":{\"missing\":[]}}"

/* Returns the text of the status; the caller frees it. */
static char *
status_text_with(const char *members, const char *confinement, const char *forwards,
    const json_t *policy, const struct view *view)
{
	json_auto_t *version =
	    json_loads("{\"slirpd\":\"0.1.0\",\"libslirp\":\"4.7.0\"}", 0, NULL);
	json_auto_t *entries = json_loads(forwards, 0, NULL);
	json_auto_t *status = NULL;
	char json[2048];
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	snprintf(json, sizeof(json), "{%s,%s,\"confinement\":%s}", members, network_text,
	    confinement);
	status = json_loads(json, 0, NULL);
	assert_non_null(status);
	assert_non_null(entries);
	status_show(out, status, version, entries, policy, NOW, view);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *
status_text(const char *members, const char *confinement, const char *forwards,
    const struct view *view)
{
	return status_text_with(members, confinement, forwards, NULL, view);
}

#define MEMBERS \
	"\"uptime_ms\":8000000,\"tap_name\":\"tap0\",\"pids\":{\"parent\":1234,\"slirp_worker\":5,\"connector\":6,\"api\":0}," \
	"\"restarts\":{\"slirp_worker\":0,\"connector\":0,\"resolver\":0,\"api\":0}"

#define HEAD \
	"slirpd         0.1.0 with libslirp 4.7.0\n" \
	"up             2 h 13 min, since 2023-11-14T20:00:00Z\n" \
	"interface      tap0, MTU 65520\n" \
	"guest          10.0.2.100/24, gateway 10.0.2.2\n" \
	"guest IPv6     network fd00::/64, gateway fd00::2\n" \
	"name server    10.0.2.3, fd00::3\n" \
	"host loopback  closed\n"

static const char one_forward[] =
    "[{\"id\":1,\"proto\":\"tcp\",\"host_addr\":\"127.0.0.1\",\"host_port\":8080,"
    "\"guest_addr\":\"10.0.2.100\",\"guest_port\":80}]";

static void
test_status(void **state)
{
	static const char expected[] =
	    HEAD "forwards       tcp 127.0.0.1:8080 -> 10.0.2.100:80\n"
		 "PIDs           parent 1234, slirp-worker 5, connector 6\n"
		 "confinement    complete\n"
		 "restarts       none\n";
	autofree char *in_pipe = status_text(MEMBERS, COMPLETE, one_forward, &pipe_view);
	autofree char *on_terminal =
	    status_text(MEMBERS, COMPLETE, one_forward, &terminal_80);

	(void)state;
	assert_string_equal(in_pipe, expected);
	assert_string_equal(on_terminal, expected);
}

static void
test_status_of_a_policy(void **state)
{
	static const struct {
		const char *policy, *shown;
	} cases[] = {
		{ "null", "none: all is open" },
		{ "{\"mode\":\"enforce\",\"default\":\"deny\",\"rules\":2,\"denied\":3}",
		    "enforce, default deny, 2 rules, 3 denied" },
		{ "{\"mode\":\"enforce\",\"default\":\"allow\",\"rules\":1,\"denied\":0}",
		    "enforce, default allow, 1 rule, 0 denied" },
		{ "{\"mode\":\"audit\",\"default\":\"deny\",\"rules\":2,\"denied\":3}",
		    "audit: nothing is denied" },
		{ "{\"mode\":\"\\u001b\"}", "\\x1b, default -, - rules, - denied" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_auto_t *policy = json_loads(cases[i].policy, JSON_DECODE_ANY, NULL);
		autofree char *text =
		    status_text_with(MEMBERS, COMPLETE, "[]", policy, &pipe_view);
		char expected[128];

		snprintf(expected, sizeof(expected), "\npolicy         %s\nforwards",
		    cases[i].shown);
		assert_non_null(strstr(text, expected));
	}
}

static void
test_status_on_a_narrow_terminal(void **state)
{
	autofree char *text = status_text(MEMBERS, COMPLETE, one_forward, &terminal_40);

	(void)state;
	assert_string_equal(text,
	    "slirpd         0.1.0 with libslirp 4.7.0\n"
	    "up             2 h 13 min, since\n"
	    "               2023-11-14T20:00:00Z\n"
	    "interface      tap0, MTU 65520\n"
	    "guest          10.0.2.100/24, gateway\n"
	    "               10.0.2.2\n"
	    "guest IPv6     network fd00::/64,\n"
	    "               gateway fd00::2\n"
	    "name server    10.0.2.3, fd00::3\n"
	    "host loopback  closed\n"
	    "forwards       tcp 127.0.0.1:8080 ->\n"
	    "               10.0.2.100:80\n"
	    "PIDs           parent 1234, slirp-worker\n"
	    "               5, connector 6\n"
	    "confinement    complete\n"
	    "restarts       none\n");
}

static void
test_status_of_many_forwards(void **state)
{
	char forwards[2048] = "[";
	autofree char *text = NULL;

	(void)state;
	for (int i = 1; i <= 7; i++) {
		size_t len = strlen(forwards);

		snprintf(forwards + len, sizeof(forwards) - len,
		    "%s{\"id\":%d,\"proto\":\"udp\",\"host_addr\":\"::1\","
		    "\"host_port\":%d,\"guest_addr\":\"fd00::2\",\"guest_port\":%d}",
		    i == 1 ? "" : ",", i, i, i);
	}
	strcat(forwards, "]");
	text = status_text(MEMBERS, COMPLETE, forwards, &pipe_view);
	assert_non_null(strstr(text,
	    "forwards       udp [::1]:1 -> [fd00::2]:1\n"
	    "               udp [::1]:2 -> [fd00::2]:2\n"
	    "               udp [::1]:3 -> [fd00::2]:3\n"
	    "               udp [::1]:4 -> [fd00::2]:4\n"
	    "               udp [::1]:5 -> [fd00::2]:5\n"
	    "               and 2 more: slirpctl list\n"
	    "PIDs "));
}

static void
test_confinement(void **state)
{
	static const struct {
		const char *confinement, *shown;
	} cases[] = {
		{ COMPLETE, "complete" },
		/* Not of a daemon that says what is missing. */
		{ "null", "-" },
		{ "{}", "-" },
		{ "{\"api\":{\"missing\":[]},\"parent\":{\"seccomp\":true}}", "-" },
		{ "{\"api\":{},\"parent\":{\"missing\":[\"root\"]}}",
		    "parent without root" },
		{ "{\"a_\\u001b\":{\"missing\":[\"\\n\",7,null]}}",
		    "a-\\x1b without \\x0a, 7, -" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		autofree char *text =
		    status_text(MEMBERS, cases[i].confinement, "[]", &pipe_view);
		char expected[128];

		snprintf(expected, sizeof(expected), "\nconfinement    %s\nrestarts",
		    cases[i].shown);
		assert_non_null(strstr(text, expected));
	}
}

static void
test_status_that_is_not_good(void **state)
{
	autofree char *text = status_text(
	    "\"uptime_ms\":1,\"tap_name\":\"\",\"restarts\":{\"slirp_worker\":0,\"connector\":1,\"api\":3}",
	    "{\"parent\":{\"missing\":[]},"
	    "\"slirp_worker\":{\"missing\":[\"root\",\"landlock\"]},"
	    "\"api\":{\"missing\":[\"seccomp\"]}}",
	    "[]", &pipe_view);

	(void)state;
	assert_string_equal(text,
	    "slirpd         0.1.0 with libslirp 4.7.0\n"
	    "up             0 s, since 2023-11-14T22:13:20Z\n"
	    "interface      inherited, MTU 65520\n"
	    "guest          10.0.2.100/24, gateway 10.0.2.2\n"
	    "guest IPv6     network fd00::/64, gateway fd00::2\n"
	    "name server    10.0.2.3, fd00::3\n"
	    "host loopback  closed\n"
	    "forwards       none\n"
	    "PIDs           -\n"
	    "confinement    slirp-worker without root, landlock\n"
	    "               api without seccomp\n"
	    "restarts       connector 1, api 3\n");
}

static const char stats_json[] =
    "{\"counters\":{\"frames_from_guest\":12,\"bytes_from_guest\":2048,"
    "\"frames_to_guest\":0},\"drops\":{\"ip_ttl\":0,\"tftp\":3},"
    "\"sockets\":{\"tcp\":4},\"hostfwds\":0}";

static char *
stats_text(const char *json, const char *previous, uint64_t interval_ms,
    const struct view *view)
{
	json_auto_t *stats = json_loads(json, 0, NULL);
	json_auto_t *before = previous != NULL ? json_loads(previous, 0, NULL) : NULL;
	const struct stats_rates rates = { .previous = before,
		.interval_ms = interval_ms };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(stats);
	stats_show(out, stats, interval_ms > 0 ? &rates : NULL, view);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
test_stats(void **state)
{
	static const struct view all = { .shows_all = true };
	autofree char *in_pipe = stats_text(stats_json, NULL, 0, &pipe_view);
	autofree char *on_terminal = stats_text(stats_json, NULL, 0, &terminal_80);
	autofree char *with_zeros = stats_text(stats_json, NULL, 0, &all);

	(void)state;
	assert_string_equal(in_pipe,
	    "counters.frames_from_guest    12\n"
	    "counters.bytes_from_guest   2048\n"
	    "drops.tftp                     3\n"
	    "sockets.tcp                    4\n");
	assert_string_equal(on_terminal,
	    "counters.frames_from_guest       12\n"
	    "counters.bytes_from_guest   2.0 KiB\n"
	    "drops.tftp                        3\n"
	    "sockets.tcp                       4\n");
	assert_string_equal(with_zeros,
	    "counters.frames_from_guest    12\n"
	    "counters.bytes_from_guest   2048\n"
	    "counters.frames_to_guest       0\n"
	    "drops.ip_ttl                   0\n"
	    "drops.tftp                     3\n"
	    "sockets.tcp                    4\n"
	    "hostfwds                       0\n");
}

static void
test_rates(void **state)
{
	static const char before[] =
	    "{\"counters\":{\"frames_from_guest\":2,\"bytes_from_guest\":0},"
	    "\"drops\":{\"tftp\":9},\"sockets\":{\"tcp\":1}}";
	autofree char *first = stats_text(stats_json, NULL, 1, &pipe_view);
	autofree char *in_pipe = stats_text(stats_json, before, 2000, &pipe_view);
	autofree char *on_terminal = stats_text(stats_json, before, 2000, &terminal_40);

	(void)state;
	assert_string_equal(first,
	    "NAME                        VALUE  PER SECOND\n"
	    "counters.frames_from_guest     12           -\n"
	    "counters.bytes_from_guest    2048           -\n"
	    "drops.tftp                      3           -\n"
	    "sockets.tcp                     4           -\n");
	/* A counter that has fallen, and numbers that are not counters, have no rate. */
	assert_string_equal(in_pipe,
	    "NAME                        VALUE  PER SECOND\n"
	    "counters.frames_from_guest     12           5\n"
	    "counters.bytes_from_guest    2048        1024\n"
	    "drops.tftp                      3           -\n"
	    "sockets.tcp                     4           -\n");
	assert_string_equal(on_terminal,
	    "NAME                          VALUE  PER SECOND\n"
	    "counters.frames_from_guest       12           5\n"
	    "counters.bytes_from_guest   2.0 KiB   1.0 KiB/s\n"
	    "drops.tftp                        3           -\n"
	    "sockets.tcp                       4           -\n");
}

static void
test_units(void **state)
{
	static const struct {
		uint64_t n;
		const char *bytes;
		const char *duration;
		const char *microseconds;
	} rows[] = {
		{ 0, "0 B", "0 s", "0 us" },
		{ 999, "999 B", "0 s", "999 us" },
		{ 1023, "1023 B", "1 s", "1.0 ms" },
		{ 1024, "1.0 KiB", "1 s", "1.0 ms" },
		{ 59999, "58.6 KiB", "59 s", "60.0 ms" },
		{ 60000, "58.6 KiB", "1 min 0 s", "60.0 ms" },
		{ 999949, "976.5 KiB", "16 min 39 s", "999.9 ms" },
		{ 999950, "976.5 KiB", "16 min 39 s", "1.0 s" },
		{ 1048570, "1.0 MiB", "17 min 28 s", "1.0 s" },
		{ 3599999, "3.4 MiB", "59 min 59 s", "3.6 s" },
		{ 3600000, "3.4 MiB", "1 h 0 min", "3.6 s" },
		{ 86400000, "82.4 MiB", "1 d 0 h", "86.4 s" },
		{ UINT64_MAX, "16.0 EiB", "213503982334 d 14 h", "18446744073709.6 s" },
	};
	char buf[UNITS_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(units_bytes(rows[i].n, buf), rows[i].bytes);
		assert_string_equal(units_duration(rows[i].n, buf), rows[i].duration);
		assert_string_equal(units_microseconds(rows[i].n, buf),
		    rows[i].microseconds);
	}
}

static void
test_times_have_a_zone(void **state)
{
	char buf[UNITS_TIME_SIZE];

	(void)state;
	assert_string_equal(units_time(NOW, -1, buf), "2023-11-14T22:13:20Z");
	setenv("TZ", "XXX-5:30", 1);
	tzset();
	assert_string_equal(units_time(NOW, 42, buf), "2023-11-15T03:43:20.000042+05:30");
	setenv("TZ", "XXX3:30", 1);
	tzset();
	assert_string_equal(units_time(NOW, -1, buf), "2023-11-14T18:43:20-03:30");
	setenv("TZ", "UTC0", 1);
	tzset();
	assert_string_equal(units_time(INT64_MAX, 0, buf), "-");
	assert_string_equal(units_time(253402300800, 0, buf), "-");
	assert_string_equal(units_time(253402300799, 0, buf),
	    "9999-12-31T23:59:59.000000Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_status_of_a_policy),
		cmocka_unit_test(test_status_on_a_narrow_terminal),
		cmocka_unit_test(test_status_of_many_forwards),
		cmocka_unit_test(test_confinement),
		cmocka_unit_test(test_status_that_is_not_good),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_times_have_a_zone),
	};

	setenv("TZ", "UTC0", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
