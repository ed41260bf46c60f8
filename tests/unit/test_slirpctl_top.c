/* SPDX-License-Identifier: BSD-2-Clause */
/* slirpctl/top: one screen, whatever the size of the terminal. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "slirpctl/view/rates.h"
#include "slirpctl/view/top_screen.h"

static json_t *status, *stats, *previous, *connections, *before;

#define ENTRY(state, port, dest, counts, recv, send) \
	"{\"proto\":\"tcp\",\"state\":\"" state "\",\"source_addr\":\"10.0.2.100\"," \
	"\"source_port\":" #port ",\"dest_addr\":\"192.0.2." #dest \
	"\",\"dest_port\":80," counts "\"recv_queue_bytes\":" #recv \
	",\"send_queue_bytes\":" #send "," \
	"\"hostfwd\":false}"
#define COUNTS(in, out) "\"bytes_in\":" #in ",\"bytes_out\":" #out ","

/* clang-format off */
/* Port 10 has lower counts than before: it is another connection. */
#define LIST "[" \
	ENTRY("ESTABLISHED", 4000, 2, "", 0, 0) "," \
	ENTRY("CLOSE_WAIT", 10, 3, COUNTS(2000, 100), 5, 0) "," \
	ENTRY("ESTABLISHED", 9, 1, COUNTS(3146728, 7), 0, 7) "]"
#define BEFORE "[" \
	ENTRY("ESTABLISHED", 10, 3, COUNTS(5000, 500), 0, 0) "," \
	ENTRY("SYN_SENT", 9, 1, COUNTS(1000, 7), 0, 0) "]"
/* clang-format on */

static struct top_screen
screen_of(unsigned int n_rows, unsigned int n_columns)
{
	rates_put(connections, before, 2000);
	return (struct top_screen){
		.n_rows = n_rows,
		.n_columns = n_columns,
		.now = 1700000000,
		.status = status,
		.stats = stats,
		.previous = previous,
		.interval_ms = 2000,
		.connections = connections,
	};
}

static char *
shown(struct top_screen *screen)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	top_screen_write(out, screen);
	assert_int_equal(fclose(out), 0);
	return text;
}

#define HEAD \
	"slirpd 1234, up 1 h 0 min; connections 3, forwards 1; 2023-11-14T22:13:20Z\n" \
	"from guest 1.0 KiB/s, 4 frames/s; to guest 2.0 KiB/s, 0 frames/s\n"

#define TITLES \
	"   IN/S  OUT/S  PROTO  SOURCE           DESTINATION   STATE        RECV-Q  " \
	"SEND-Q  FORWARD\n"
#define ROW_9 \
	"1.5 MiB    0 B  tcp    10.0.2.100:9     192.0.2.1:80  ESTABLISHED       0   " \
	"    7  no\n"
#define ROW_10 \
	" 1000 B   50 B  tcp    10.0.2.100:10    192.0.2.3:80  CLOSE_WAIT        5   " \
	"    0  no\n"
#define ROW_4000 \
	"      -      -  tcp    10.0.2.100:4000  192.0.2.2:80  ESTABLISHED       0   " \
	"    0  no"

static void
test_screen(void **state)
{
	struct top_screen screen = screen_of(24, 100);
	autofree char *text = shown(&screen);

	(void)state;
	assert_string_equal(text,
	    HEAD "order: rate; h help, q quit\n" TITLES ROW_9 ROW_10 ROW_4000);
}

static void
test_first_screen_has_no_rates(void **state)
{
	struct top_screen screen = screen_of(24, 80);
	autofree char *text = NULL;

	(void)state;
	screen.previous = NULL;
	rates_put(connections, NULL, 0);
	text = shown(&screen);
	assert_non_null(strstr(text, "   -      -  tcp    10.0.2.100:10 "));
	assert_non_null(
	    strstr(text, "from guest 0 B/s, 0 frames/s; to guest 0 B/s, 0 frames/s\n"));
}

static void
test_rates(void **state)
{
	static const struct {
		const char *before, *now;
		uint64_t interval_ms;
		const char *in, *out;
	} rows[] = {
		{ "", COUNTS(1000, 10), 500, "2000", "20" },
		{ COUNTS(990, 10), COUNTS(1000, 10), 1000, "10", "0" },
		{ COUNTS(1001, 10), COUNTS(1000, 10), 1000, "1000", "0" },
		{ COUNTS(-1, "x"), COUNTS(1000, 10), 1000, "1000", "10" },
		{ "", COUNTS(1000, 10), 0, NULL, NULL },
		{ "", COUNTS(-1000, 1.5), 1000, NULL, NULL },
		{ "", COUNTS(9223372036854775807, 1), 1, NULL, "1000" },
		{ "", "\"in_per_s\":1,\"out_per_s\":2,", 1000, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[2][512];
		json_auto_t *then = NULL, *now = NULL;
		const char *expected[] = { rows[i].in, rows[i].out };
		static const char *const keys[] = { RATES_IN, RATES_OUT };

		snprintf(text[0], sizeof(text[0]), "[{%s\"proto\":\"tcp\"}]",
		    rows[i].before);
		snprintf(text[1], sizeof(text[1]), "[{%s\"proto\":\"tcp\"}]",
		    rows[i].now);
		then = json_loads(text[0], 0, NULL);
		now = json_loads(text[1], 0, NULL);
		assert_true(then != NULL && now != NULL);
		rates_put(now, then, rows[i].interval_ms);
		for (int k = 0; k < 2; k++) {
			const json_t *rate =
			    json_object_get(json_array_get(now, 0), keys[k]);

			assert_int_equal(rate != NULL, expected[k] != NULL);
			assert_int_equal(json_integer_value(rate),
			    expected[k] != NULL ? atoll(expected[k]) : 0);
		}
	}
}

static void
test_orders(void **state)
{
	static const struct {
		enum top_order order;
		bool is_reversed;
		const char *line;
		const char *first;
	} rows[] = {
		{ TOP_ORDER_RATE, false, "order: rate;", ":9 " },
		{ TOP_ORDER_RATE, true, "order: rate, reversed;", ":4000 " },
		{ TOP_ORDER_QUEUE, true, "order: queue, reversed;", ":4000 " },
		{ TOP_ORDER_STATE, false, "order: state;", ":10 " },
		{ TOP_ORDER_SOURCE, false, "order: source;", ":9 " },
		{ TOP_ORDER_SOURCE, true, "order: source, reversed;", ":4000 " },
		{ TOP_ORDER_DESTINATION, true, "order: destination, reversed;", ":10 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct top_screen screen = screen_of(5, 80);
		autofree char *text = NULL;

		screen.order = rows[i].order;
		screen.is_reversed = rows[i].is_reversed;
		text = shown(&screen);
		assert_non_null(strstr(text, rows[i].line));
		assert_non_null(strstr(strstr(text, "PROTO"), rows[i].first));
	}
}

/* Neither longer nor wider than the terminal. */
static void
test_every_size(void **state)
{
	(void)state;
	for (unsigned int n_rows = 1; n_rows < 12; n_rows++) {
		for (unsigned int n_columns = 1; n_columns < 100; n_columns++) {
			struct top_screen screen = screen_of(n_rows, n_columns);
			autofree char *text = shown(&screen);
			unsigned int n_lines = 1;

			for (const char *line = text; line != NULL; n_lines++) {
				assert_true(strcspn(line, "\n") <= n_columns);
				line = strchr(line, '\n');
				if (line == NULL)
					break;
				line++;
			}
			/* The lines above the table are always there. */
			assert_true(n_lines <= (n_rows > 3 ? n_rows : 3));
		}
	}
}

static void
test_scroll(void **state)
{
	struct top_screen screen = screen_of(6, 100);
	autofree char *text = NULL;

	(void)state;
	screen.first = 1;
	text = shown(&screen);
	assert_string_equal(text,
	    HEAD "order: rate; h help, q quit\n" TITLES ROW_10 ROW_4000);
	/* Not beyond the last page. */
	screen.first = 100;
	free(text);
	text = shown(&screen);
	assert_int_equal(screen.first, 1);
	assert_non_null(strstr(text, ROW_10));
}

static void
test_help(void **state)
{
	struct top_screen screen = screen_of(24, 40);
	autofree char *text = NULL;

	(void)state;
	screen.shows_help = true;
	text = shown(&screen);
	assert_string_equal(text,
	    "slirpd 1234, up 1 h 0 min; connections 3\n"
	    "from guest 1.0 KiB/s, 4 frames/s; to gue\n"
	    "q quit  space now  s order  r reverse  j\n"
	    "   IN/S  OUT/S  PROTO  SOURCE           \n"
	    "1.5 MiB    0 B  tcp    10.0.2.100:9     \n"
	    " 1000 B   50 B  tcp    10.0.2.100:10    \n"
	    "      -      -  tcp    10.0.2.100:4000  ");
}

static int
load(void **state)
{
	(void)state;
	setenv("TZ", "UTC0", 1);
	status =
	    json_loads("{\"uptime_ms\":3600000,\"pids\":{\"parent\":1234}}", 0, NULL);
	stats = json_loads("{\"counters\":{\"frames_from_guest\":10,"
			   "\"bytes_from_guest\":4048,\"bytes_to_guest\":4096},"
			   "\"hostfwds\":1}",
	    0, NULL);
	previous = json_loads("{\"counters\":{\"frames_from_guest\":2,"
			      "\"bytes_from_guest\":2000,\"bytes_to_guest\":0}}",
	    0, NULL);
	connections = json_loads(LIST, 0, NULL);
	before = json_loads(BEFORE, 0, NULL);
	return status != NULL && stats != NULL && previous != NULL &&
		connections != NULL && before != NULL
	    ? 0
	    : -1;
}

static int
unload(void **state)
{
	(void)state;
	json_decref(status);
	json_decref(stats);
	json_decref(previous);
	json_decref(connections);
	json_decref(before);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_screen),
		cmocka_unit_test(test_first_screen_has_no_rates),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_scroll),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
