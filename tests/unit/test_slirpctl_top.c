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
#include "slirpctl/view/top_screen.h"

static json_t *status, *stats, *previous, *connections;

static struct top_screen
screen_of(unsigned int n_rows, unsigned int n_columns)
{
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

#define HEAD_80 \
	"slirpd 1234, up 1 h 0 min; connections 3, forwards 1; 2023-11-14T22:13:20Z\n" \
	"from guest 1.0 KiB/s, 4 frames/s; to guest 2.0 KiB/s, 0 frames/s\n"

#define TITLES \
	"PROTO  STATE        SOURCE           DESTINATION   RECV-Q  SEND-Q  FORWARD\n"
#define ROW_9 "tcp    ESTABLISHED  10.0.2.100:9     192.0.2.1:80       0       7  no\n"
#define ROW_10 "tcp    CLOSE_WAIT   10.0.2.100:10    192.0.2.3:80       5       0  no\n"
#define ROW_11 "tcp    ESTABLISHED  10.0.2.100:4000  192.0.2.2:80       0       0  no"

static void
test_screen(void **state)
{
	struct top_screen screen = screen_of(24, 80);
	autofree char *text = shown(&screen);

	(void)state;
	assert_string_equal(text,
	    HEAD_80 "order: queue; h help, q quit\n" TITLES ROW_9 ROW_10 ROW_11);
}

static void
test_first_screen_has_no_rates(void **state)
{
	struct top_screen screen = screen_of(24, 80);
	autofree char *text = NULL;

	(void)state;
	screen.previous = NULL;
	text = shown(&screen);
	assert_non_null(
	    strstr(text, "from guest 0 B/s, 0 frames/s; to guest 0 B/s, 0 frames/s\n"));
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
	struct top_screen screen = screen_of(6, 80);
	autofree char *text = NULL;

	(void)state;
	screen.first = 1;
	text = shown(&screen);
	assert_string_equal(text,
	    HEAD_80 "order: queue; h help, q quit\n" TITLES ROW_10 ROW_11);
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
	    "PROTO  STATE        SOURCE           DES\n"
	    "tcp    ESTABLISHED  10.0.2.100:9     192\n"
	    "tcp    CLOSE_WAIT   10.0.2.100:10    192\n"
	    "tcp    ESTABLISHED  10.0.2.100:4000  192");
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
	connections = json_pack("[{s:s,s:s,s:s,s:i,s:s,s:i,s:i,s:i,s:b},"
				"{s:s,s:s,s:s,s:i,s:s,s:i,s:i,s:i,s:b},"
				"{s:s,s:s,s:s,s:i,s:s,s:i,s:i,s:i,s:b}]",
	    "proto", "tcp", "state", "ESTABLISHED", "source_addr", "10.0.2.100",
	    "source_port", 4000, "dest_addr", "192.0.2.2", "dest_port", 80,
	    "recv_queue_bytes", 0, "send_queue_bytes", 0, "hostfwd", 0, "proto", "tcp",
	    "state", "CLOSE_WAIT", "source_addr", "10.0.2.100", "source_port", 10,
	    "dest_addr", "192.0.2.3", "dest_port", 80, "recv_queue_bytes", 5,
	    "send_queue_bytes", 0, "hostfwd", 0, "proto", "tcp", "state", "ESTABLISHED",
	    "source_addr", "10.0.2.100", "source_port", 9, "dest_addr", "192.0.2.1",
	    "dest_port", 80, "recv_queue_bytes", 0, "send_queue_bytes", 7, "hostfwd", 0);
	return status != NULL && stats != NULL && previous != NULL && connections != NULL
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
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_screen),
		cmocka_unit_test(test_first_screen_has_no_rates),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_scroll),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
