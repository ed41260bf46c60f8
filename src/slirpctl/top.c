/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows rates and connections on a terminal.
 *
 * The terminal is in its alternate screen and gives keys at once. Each way out restores
 * it: keys, failures, and the signals below. A signal only sets a flag and interrupts
 * poll(2). Errors are kept while the alternate screen is on, and logged after it.
 */
#include "slirpctl/top.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "slirpctl/ask.h"
#include "slirpctl/errlines.h"
#include "slirpctl/view/top_screen.h"

/* A look at a thousand connections takes the worker milliseconds. */
#define INTERVAL_DEFAULT_S 2

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
	    screen->n_rows > TOP_HEAD_LINES + 1 ? screen->n_rows - TOP_HEAD_LINES - 1 : 1;
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
