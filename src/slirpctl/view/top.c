/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows rates and connections on a terminal.
 *
 * The terminal is in its alternate screen and gives keys at once. Each way out restores
 * it: keys, failures, and the signals below. A signal only sets a flag and interrupts
 * poll(2). Errors are kept while the alternate screen is on, and logged after it.
 */
#include "slirpctl/view/top.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "slirpctl/ask.h"
#include "slirpctl/errlines.h"
#include "slirpctl/view/cell.h"
#include "slirpctl/view/show.h"
#include "slirpctl/view/units.h"

/* A look at a thousand connections takes the worker milliseconds. */
#define INTERVAL_DEFAULT_S 2

/* Lines above the titles of the table. */
#define N_HEAD_LINES 3

/* Longer than a wide terminal. */
#define LINE_SIZE 512

/* Control sequences of ECMA-48, and of xterm for the alternate screen. All terminals of
 * Linux know them. */
#define SCREEN_BEGIN "\033[?1049h\033[?25l"
#define SCREEN_END "\033[?25h\033[?1049l"
#define SCREEN_HOME "\033[H"
#define LINE_CLEAR "\033[K"
#define REST_CLEAR "\033[J"

#define KEY_ESCAPE '\033'
/* The last bytes of "\033[A" and others. */
#define KEY_UP 'A'
#define KEY_DOWN 'B'
#define KEY_PAGE_UP '5'
#define KEY_PAGE_DOWN '6'

static const char help_line[] =
    "q quit  space now  s order  r reverse  j k up down  h this help";

static const char *const order_names[TOP_ORDER_N] = {
	[TOP_ORDER_QUEUE] = "queue",
	[TOP_ORDER_STATE] = "state",
	[TOP_ORDER_SOURCE] = "source",
	[TOP_ORDER_DESTINATION] = "destination",
};

/* --- one screen --- */

/* qsort(3) takes no context. */
static enum top_order compared_order;
static bool compared_reversed;

static json_int_t
queued(const json_t *entry)
{
	json_int_t recv = json_integer_value(json_object_get(entry, "recv_queue_bytes"));
	json_int_t send = json_integer_value(json_object_get(entry, "send_queue_bytes"));

	/* No overflow, whatever the daemon sends. */
	return recv / 2 + send / 2 + (recv % 2 + send % 2);
}

static int
compare_text(const json_t *a, const json_t *b, const char *key, const char *port_key)
{
	char text_a[CELL_SIZE], text_b[CELL_SIZE];

	if (port_key != NULL) {
		cell_endpoint_format(text_a, a, key, port_key);
		cell_endpoint_format(text_b, b, key, port_key);
	} else {
		cell_format(text_a, sizeof(text_a), json_object_get(a, key));
		cell_format(text_b, sizeof(text_b), json_object_get(b, key));
	}
	/* 10.0.2.9 comes before 10.0.2.10. */
	return strverscmp(text_a, text_b);
}

static int
compare(const void *left, const void *right)
{
	const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
	int result = 0;

	switch (compared_order) {
	case TOP_ORDER_QUEUE:
		result = (queued(a) < queued(b)) - (queued(a) > queued(b));
		break;
	case TOP_ORDER_STATE:
		result = compare_text(a, b, "state", NULL);
		break;
	case TOP_ORDER_SOURCE:
		break;
	case TOP_ORDER_DESTINATION:
		result = compare_text(a, b, "dest_addr", "dest_port");
		break;
	case TOP_ORDER_N:
		break;
	}
	if (result == 0)
		result = compare_text(a, b, "source_addr", "source_port");
	return compared_reversed ? -result : result;
}

/* Returns a sorted list, a new reference, or NULL if memory is short. */
static json_t *
sorted(const struct top_screen *screen)
{
	size_t n = json_array_size(screen->connections);
	autofree const json_t **entries = calloc(n + 1, sizeof(json_t *));
	json_t *list = json_array();

	for (size_t i = 0; entries != NULL && i < n; i++)
		entries[i] = json_array_get(screen->connections, i);
	compared_order = screen->order;
	compared_reversed = screen->is_reversed;
	if (entries != NULL)
		qsort(entries, n, sizeof(json_t *), compare);
	for (size_t i = 0; entries != NULL && i < n; i++)
		json_array_append(list, (json_t *)entries[i]);
	return list;
}

/* Writes a line, cut off at the width of the screen. */
static void
line_write(FILE *out, const struct top_screen *screen, const char *line, size_t len)
{
	fwrite(line, 1, len < screen->n_columns ? len : screen->n_columns, out);
}

static json_int_t
counter(const json_t *stats, const char *key)
{
	return json_integer_value(
	    json_object_get(json_object_get(stats, "counters"), key));
}

/* Returns a counter's growth per second; 0 if it is not known. */
static uint64_t
rate(const struct top_screen *screen, const char *key)
{
	double growth =
	    (double)counter(screen->stats, key) - (double)counter(screen->previous, key);
	double per_s = growth * CLOCK_MS_PER_S / (double)screen->interval_ms;

	if (screen->previous == NULL || screen->interval_ms == 0 || per_s < 0 ||
	    per_s >= (double)INT64_MAX)
		return 0;
	return (uint64_t)per_s;
}

static void
head_write(FILE *out, const struct top_screen *screen)
{
	json_int_t uptime_ms =
	    json_integer_value(json_object_get(screen->status, "uptime_ms"));
	json_int_t n_forwards =
	    json_integer_value(json_object_get(screen->stats, "hostfwds"));
	char time[UNITS_TIME_SIZE], up[UNITS_SIZE], from[UNITS_SIZE], to[UNITS_SIZE];
	char pid[UNITS_SIZE], line[LINE_SIZE];

	cell_format(pid, sizeof(pid),
	    json_object_get(json_object_get(screen->status, "pids"), "parent"));
	snprintf(line, sizeof(line),
	    "slirpd %s, up %s; connections %zu, forwards %" JSON_INTEGER_FORMAT "; %s",
	    pid, units_duration(uptime_ms > 0 ? (uint64_t)uptime_ms : 0, up),
	    json_array_size(screen->connections), n_forwards,
	    units_time(screen->now, -1, time));
	line_write(out, screen, line, strlen(line));
	putc('\n', out);
	snprintf(line, sizeof(line),
	    "from guest %s/s, %" PRIu64 " frames/s; to guest %s/s, %" PRIu64 " frames/s",
	    units_bytes(rate(screen, "bytes_from_guest"), from),
	    rate(screen, "frames_from_guest"),
	    units_bytes(rate(screen, "bytes_to_guest"), to),
	    rate(screen, "frames_to_guest"));
	line_write(out, screen, line, strlen(line));
	putc('\n', out);
	if (screen->shows_help)
		snprintf(line, sizeof(line), "%s", help_line);
	else
		snprintf(line, sizeof(line), "order: %s%s; h help, q quit",
		    order_names[screen->order], screen->is_reversed ? ", reversed" : "");
	line_write(out, screen, line, strlen(line));
}

void
top_screen_write(FILE *out, struct top_screen *screen)
{
	static const struct view wide = { .is_terminal = true };
	size_t n = json_array_size(screen->connections);
	size_t n_shown =
	    screen->n_rows > N_HEAD_LINES + 1 ? screen->n_rows - N_HEAD_LINES - 1 : 0;
	json_auto_t *list = sorted(screen);
	autofree char *table = NULL;
	const char *line;
	size_t size;
	FILE *memory = open_memstream(&table, &size);

	head_write(out, screen);
	if (memory == NULL)
		return;
	show_connections(memory, list, &wide);
	if (fclose(memory) == EOF)
		return;
	if (screen->first + n_shown > n)
		screen->first = n > n_shown ? n - n_shown : 0;
	line = table;
	for (size_t i = 0; *line != '\0'; i++) {
		size_t len = strcspn(line, "\n");

		/* The titles, then a window of the entries. */
		if (screen->n_rows > N_HEAD_LINES &&
		    (i == 0 || (i > screen->first && i <= screen->first + n_shown))) {
			putc('\n', out);
			line_write(out, screen, line, len);
		}
		line += len + (line[len] == '\n');
	}
}

/* --- the terminal --- */

static volatile sig_atomic_t ended_by; /* a signal; 0: none */

static void
end_by(int signal_number)
{
	ended_by = signal_number;
}

static void
notice_size(int signal_number)
{
	/* poll(2) has been interrupted, which is all that is needed. */
	(void)signal_number;
}

static char kept_error[LOG_TEXT_SIZE];

static void
keep_error(enum log_level level, const char *text)
{
	(void)level;
	snprintf(kept_error, sizeof(kept_error), "%s", text);
}

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void
signals_take(void)
{
	struct sigaction end = { .sa_handler = end_by };
	struct sigaction size = { .sa_handler = notice_size };

	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
		sigaction(ending_signals[i], &end, NULL);
	sigaction(SIGWINCH, &size, NULL);
}

static void
screen_begin(const struct termios *original)
{
	struct termios keys = *original;

	/* ISIG stays: Ctrl-C is a signal. Ctrl-Z would leave the terminal changed. */
	keys.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	keys.c_cc[VSUSP] = _POSIX_VDISABLE;
	keys.c_cc[VMIN] = 0;
	keys.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &keys);
	log_set_emit(keep_error);
	fputs(SCREEN_BEGIN, stdout);
}

static void
screen_end(const struct termios *original)
{
	fputs(SCREEN_END, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, original);
	log_set_emit(errlines_emit);
	if (kept_error[0] != '\0')
		log_error("%s", kept_error);
}

static void
draw(struct top_screen *screen)
{
	struct winsize size;
	autofree char *text = NULL;
	size_t len;
	FILE *memory = open_memstream(&text, &len);

	screen->n_rows = 24;
	screen->n_columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
	    size.ws_row > 0) {
		screen->n_rows = size.ws_row;
		screen->n_columns = size.ws_col;
	}
	if (memory == NULL)
		return;
	screen->now = time(NULL);
	top_screen_write(memory, screen);
	if (fclose(memory) == EOF)
		return;
	fputs(SCREEN_HOME, stdout);
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '\n')
			fputs(LINE_CLEAR "\r\n", stdout);
		else
			putc(*c, stdout);
	}
	fputs(LINE_CLEAR REST_CLEAR, stdout);
	fflush(stdout);
}

enum key_outcome {
	KEY_NOTHING,
	KEY_DRAW,
	KEY_REFRESH,
	KEY_QUIT,
};

static void
scroll(struct top_screen *screen, long n_lines)
{
	if (n_lines < 0 && screen->first < (size_t)-n_lines)
		screen->first = 0;
	else
		screen->first += (size_t)n_lines;
}

/* Takes one key: its bytes, as read at once. */
static enum key_outcome
key_take(struct top_screen *screen, const char *bytes, size_t len)
{
	long page =
	    screen->n_rows > N_HEAD_LINES + 1 ? screen->n_rows - N_HEAD_LINES - 1 : 1;
	char key = bytes[0];

	if (key == KEY_ESCAPE && len >= 3) {
		scroll(screen,
		    bytes[2] == KEY_UP              ? -1
			: bytes[2] == KEY_DOWN      ? 1
			: bytes[2] == KEY_PAGE_UP   ? -page
			: bytes[2] == KEY_PAGE_DOWN ? page
						    : 0);
		return KEY_DRAW;
	}
	switch (key) {
	case 'q':
		return KEY_QUIT;
	case ' ':
	case '\n':
		return KEY_REFRESH;
	case 's':
		screen->order = (screen->order + 1) % TOP_ORDER_N;
		return KEY_DRAW;
	case 'r':
		screen->is_reversed = !screen->is_reversed;
		return KEY_DRAW;
	case 'j':
		scroll(screen, 1);
		return KEY_DRAW;
	case 'k':
		scroll(screen, -1);
		return KEY_DRAW;
	case 'h':
	case '?':
		screen->shows_help = !screen->shows_help;
		return KEY_DRAW;
	default:
		return KEY_NOTHING;
	}
}

/* Draws and takes keys until the next refresh is due. Returns false to quit. */
static bool
wait_and_draw(struct top_screen *screen, uint64_t deadline_ms)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN } };
		uint64_t now_ms = clock_now_ms();
		char bytes[16];
		ssize_t n;

		draw(screen);
		if (ended_by != 0 || ferror(stdout))
			return false;
		if (now_ms >= deadline_ms)
			return true;
		if (poll(fds, 1, (int)(deadline_ms - now_ms)) <= 0)
			continue;
		n = read(STDIN_FILENO, bytes, sizeof(bytes));
		/* The terminal has hung up. */
		if (n <= 0)
			return false;
		switch (key_take(screen, bytes, (size_t)n)) {
		case KEY_QUIT:
			return false;
		case KEY_REFRESH:
			return true;
		default:
			break;
		}
	}
}

static enum outcome
show_until_quit(const struct cmdline *cmdline)
{
	uint64_t interval_s =
	    cmdline->watch_s > 0 ? cmdline->watch_s : INTERVAL_DEFAULT_S;
	json_auto_t *previous_reply = NULL;
	struct top_screen screen = { 0 };
	uint64_t previous_ms = 0;

	for (;;) {
		json_auto_t *status_reply = NULL, *stats_reply = NULL, *list_reply = NULL;
		uint64_t now_ms = clock_now_ms();
		enum outcome outcome;

		outcome = ask_plain(cmdline, "top", "query_status", &status_reply,
		    &screen.status);
		if (outcome == OUTCOME_OK)
			outcome = ask_plain(cmdline, "top", "query_stats", &stats_reply,
			    &screen.stats);
		if (outcome == OUTCOME_OK)
			outcome = ask_list(cmdline, "top", "query_connections",
			    "connections", &list_reply, &screen.connections);
		if (outcome != OUTCOME_OK)
			return ended_by != 0 ? OUTCOME_OK : outcome;
		screen.interval_ms = now_ms - previous_ms;
		if (!wait_and_draw(&screen, now_ms + interval_s * CLOCK_MS_PER_S))
			return OUTCOME_OK;
		/* The next screen compares with this one. */
		json_decref(previous_reply);
		previous_reply = json_incref(stats_reply);
		screen.previous = screen.stats;
		previous_ms = now_ms;
	}
}

enum outcome
top_run(const struct cmdline *cmdline)
{
	struct termios original;
	enum outcome outcome;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &original) == -1) {
		log_error("top needs a terminal; slirpctl connections needs none");
		return OUTCOME_USAGE;
	}
	signals_take();
	screen_begin(&original);
	outcome = show_until_quit(cmdline);
	screen_end(&original);
	if (ended_by != 0) {
		/* The caller must see what has ended the program. */
		signal(ended_by, SIG_DFL);
		raise(ended_by);
	}
	return outcome;
}
