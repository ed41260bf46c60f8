/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows rates and connections on a terminal.
 *
 * The terminal is in its alternate screen and gives keys at once. Each way out restores
 * it: keys, failures, and the signals below. Signals are blocked except in a wait, so that
 * none comes just before one. They only set a flag, which is tested after each wait. The
 * program waits for the next look, for replies and for the terminal, and serves signals in
 * all three. Errors are kept while the alternate screen is on, and logged after it.
 */
#include "slirpctl/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "slirpctl/ask.h"
#include "slirpctl/errlines.h"
#include "slirpctl/transport.h"
#include "slirpctl/view/rates.h"
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

/* A slow terminal takes some bytes in this time. A terminal that nobody reads must not keep
 * the program after a signal. */
#define RESTORE_WAIT_MS 500

#define KEY_ESCAPE '\033'
/* The last bytes of "\033[A" and others. */
#define KEY_UP 'A'
#define KEY_DOWN 'B'
#define KEY_PAGE_UP '5'
#define KEY_PAGE_DOWN '6'

/* Keys that are read at once: more than a person can hold down between two waits. */
#define KEYS_SIZE 64

static volatile sig_atomic_t ended_by; /* a signal; 0: none */

/* A new size needs nothing but the end of the wait: it is drawn after each. */
static void
take_signal(int signal_number)
{
	if (signal_number != SIGWINCH)
		ended_by = signal_number;
}

static char kept_error[LOG_TEXT_SIZE];

static void
keep_error(enum log_level level, const char *text)
{
	(void)level;
	snprintf(kept_error, sizeof(kept_error), "%s", text);
}

/* Sets *waiting to the mask of a wait. */
static void
signals_take(sigset_t *waiting)
{
	static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
	struct sigaction action = { .sa_handler = take_signal };
	sigset_t blocked;

	sigprocmask(SIG_BLOCK, NULL, waiting);
	blocked = *waiting;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		sigaction(taken[i], &action, NULL);
		sigaddset(&blocked, taken[i]);
		sigdelset(waiting, taken[i]);
	}
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* Writes to the terminal, which nobody may read. Returns false if a signal has ended the
 * program or the write has failed. */
static bool
terminal_write(const char *bytes, size_t len, const sigset_t *waiting)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	sigset_t writing = *waiting, blocked;
	ssize_t n;

	/* A new size must end the wait that comes after this: nothing is drawn before. */
	sigaddset(&writing, SIGWINCH);
	while (len > 0 && ended_by == 0) {
		if (ppoll(&out, 1, NULL, &writing) == -1) {
			if (errno != EINTR)
				return false;
			continue;
		}
		/* The terminal may have room for a part only: the write waits then. */
		sigprocmask(SIG_SETMASK, &writing, &blocked);
		n = write(STDOUT_FILENO, bytes, len);
		sigprocmask(SIG_SETMASK, &blocked, NULL);
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return false;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return len == 0;
}

static void
screen_begin(const struct termios *original, const sigset_t *waiting)
{
	struct termios keys = *original;

	/* ISIG stays: Ctrl-C is a signal. Ctrl-Z would leave the terminal changed. */
	keys.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	keys.c_cc[VSUSP] = _POSIX_VDISABLE;
	keys.c_cc[VMIN] = 0;
	keys.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &keys);
	log_set_emit(keep_error);
	terminal_write(SCREEN_BEGIN, strlen(SCREEN_BEGIN), waiting);
}

static void
screen_end(const struct termios *original, const sigset_t *waiting)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (ended_by == 0) {
		terminal_write(SCREEN_END, strlen(SCREEN_END), waiting);
	} else if (poll(&out, 1, RESTORE_WAIT_MS) == 1) {
		fputs(SCREEN_END, stdout);
		fflush(stdout);
	}
	tcsetattr(STDIN_FILENO, TCSANOW, original);
	log_set_emit(errlines_emit);
	if (kept_error[0] != '\0')
		log_error("%s", kept_error);
}

/* The replies to one round of requests. */
struct look {
	json_t *status_reply, *stats_reply, *list_reply; /* owned */
	const json_t *status, *stats, *connections;
	uint64_t at_ms; /* CLOCK_MONOTONIC */
};

struct top {
	struct look shown, previous;
	struct top_screen screen;
	sigset_t waiting; /* the signal mask of a wait */
	bool is_due;      /* the user asks for a new look */
	bool is_over;
};

static void
look_free(struct look *look)
{
	json_decref(look->status_reply);
	json_decref(look->stats_reply);
	json_decref(look->list_reply);
	*look = (struct look){ 0 };
}

static void
draw(struct top *top)
{
	struct top_screen *screen = &top->screen;
	struct winsize size;
	autofree char *text = NULL, *bytes = NULL;
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
	screen->status = top->shown.status;
	screen->stats = top->shown.stats;
	screen->connections = top->shown.connections;
	screen->previous = top->previous.stats;
	screen->interval_ms = top->shown.at_ms - top->previous.at_ms;
	top_screen_write(memory, screen);
	if (fclose(memory) == EOF)
		return;
	memory = open_memstream(&bytes, &len);
	if (memory == NULL)
		return;
	fputs(SCREEN_HOME, memory);
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '\n')
			fputs(LINE_CLEAR "\r\n", memory);
		else
			putc(*c, memory);
	}
	fputs(LINE_CLEAR REST_CLEAR, memory);
	if (fclose(memory) != EOF && !terminal_write(bytes, len, &top->waiting))
		top->is_over = true;
}

static void
scroll(struct top_screen *screen, long n_lines)
{
	if (n_lines < 0 && screen->first < (size_t)-n_lines)
		screen->first = 0;
	else
		screen->first += (size_t)n_lines;
}

/* Takes the third byte of a key that sends several. */
static void
arrow_take(struct top_screen *screen, char key)
{
	long page =
	    screen->n_rows > TOP_HEAD_LINES + 1 ? screen->n_rows - TOP_HEAD_LINES - 1 : 1;

	scroll(screen,
	    key == KEY_UP              ? -1
		: key == KEY_DOWN      ? 1
		: key == KEY_PAGE_UP   ? -page
		: key == KEY_PAGE_DOWN ? page
				       : 0);
}

static void
key_take(struct top *top, char key)
{
	struct top_screen *screen = &top->screen;

	switch (key) {
	case 'q':
		top->is_over = true;
		break;
	case ' ':
	case '\n':
		top->is_due = true;
		break;
	case 's':
		screen->order = (screen->order + 1) % TOP_ORDER_N;
		break;
	case 'r':
		screen->is_reversed = !screen->is_reversed;
		break;
	case 'j':
		scroll(screen, 1);
		break;
	case 'k':
		scroll(screen, -1);
		break;
	case 'h':
	case '?':
		screen->shows_help = !screen->shows_help;
		break;
	default:
		break;
	}
}

static void
keys_read(struct top *top)
{
	char bytes[KEYS_SIZE];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	/* The terminal has hung up. */
	if (n <= 0)
		top->is_over = true;
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == KEY_ESCAPE && i + 2 < n) {
			i += 2;
			arrow_take(&top->screen, bytes[i]);
		} else {
			key_take(top, bytes[i]);
		}
	}
}

/* Serves keys, if there are some, or a signal. Returns false to quit. */
static bool
go_on(void *ctx, bool has_keys)
{
	struct top *top = ctx;

	if (has_keys)
		keys_read(top);
	if (ended_by == 0 && !top->is_over)
		draw(top);
	return ended_by == 0 && !top->is_over;
}

/* Takes keys until the next look is due. Returns false to quit. */
static bool
wait_for_next_look(struct top *top, uint64_t deadline_ms)
{
	bool has_keys = false;

	top->is_due = false;
	while (go_on(top, has_keys)) {
		struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };
		uint64_t now_ms = clock_now_ms();
		struct timespec left;

		if (top->is_due || now_ms >= deadline_ms)
			return true;
		left = clock_timespec(deadline_ms - now_ms);
		has_keys = ppoll(&keys, 1, &left, &top->waiting) > 0;
	}
	return false;
}

static enum outcome
look_take(const struct cmdline *cmdline, struct look *look)
{
	enum outcome outcome;

	look->at_ms = clock_now_ms();
	outcome =
	    ask_plain(cmdline, "top", "query_status", &look->status_reply, &look->status);
	if (outcome == OUTCOME_OK)
		outcome = ask_plain(cmdline, "top", "query_stats", &look->stats_reply,
		    &look->stats);
	if (outcome == OUTCOME_OK)
		outcome = ask_list(cmdline, "top", "query_connections", "connections",
		    &look->list_reply, &look->connections);
	return outcome;
}

static enum outcome
show_until_quit(struct top *top, const struct cmdline *cmdline)
{
	uint64_t interval_ms = CLOCK_MS_PER_S *
	    (uint64_t)(cmdline->watch_s > 0 ? cmdline->watch_s : INTERVAL_DEFAULT_S);
	const struct transport_watch keys = {
		.fd = STDIN_FILENO,
		.events = POLLIN,
		.signals = &top->waiting,
		.go_on = go_on,
		.ctx = top,
	};
	struct cmdline watched = *cmdline;

	watched.watch = &keys;
	if (!go_on(top, false))
		return OUTCOME_OK;
	do {
		struct look next = { 0 };
		enum outcome outcome = look_take(&watched, &next);

		if (outcome != OUTCOME_OK) {
			look_free(&next);
			return ended_by != 0 || top->is_over ? OUTCOME_OK : outcome;
		}
		rates_put(next.connections, top->shown.connections,
		    next.at_ms - top->shown.at_ms);
		look_free(&top->previous);
		top->previous = top->shown;
		top->shown = next;
	} while (wait_for_next_look(top, top->shown.at_ms + interval_ms));
	return OUTCOME_OK;
}

enum outcome
top_run(const struct cmdline *cmdline)
{
	struct termios original;
	struct top top = { 0 };
	enum outcome outcome;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &original) == -1) {
		log_error("top needs a terminal; slirpctl connections needs none");
		return OUTCOME_USAGE;
	}
	signals_take(&top.waiting);
	screen_begin(&original, &top.waiting);
	outcome = show_until_quit(&top, cmdline);
	screen_end(&original, &top.waiting);
	look_free(&top.shown);
	look_free(&top.previous);
	if (ended_by != 0) {
		/* The caller must see what has ended the program. */
		signal(ended_by, SIG_DFL);
		raise(ended_by);
		sigprocmask(SIG_SETMASK, &top.waiting, NULL);
	}
	return outcome;
}
