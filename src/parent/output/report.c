/* SPDX-License-Identifier: BSD-2-Clause */
/* The log lines of the parent and its children. */
#include "parent/output/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/text.h"
#include "ipc/describe.h"
#include "parent/output/libslirp_known.h"
#include "parent/output/logfile.h"

/* A log line with its prefix (program name, role and PID) and a newline. */
#define LINE_SIZE (LOG_TEXT_SIZE + 128)

/* The size of the program name in the prefix; the caller chose the name. */
#define NAME_SIZE 64

/* Set by report_init(). The log function takes no context. */
static char program_name[NAME_SIZE] = "slirpd";
static int log_fd = STDERR_FILENO;
static enum log_level level_max = LOG_LEVEL_INFO;
static uint64_t n_lost; /* lines that neither standard error nor the log file took */

static void
write_line(enum log_level level, const char *line, size_t len)
{
	bool to_file = parent_logfile_is_open();
	bool to_stderr = !to_file || level <= LOG_LEVEL_ERROR;
	bool is_lost = to_file && !parent_logfile_write(line, len);

	if (to_stderr && fdio_write_nowait(log_fd, line, len) < len && !to_file)
		is_lost = true;
	n_lost += is_lost;
}

static void LOG_PRINTF(2, 0)
    write_formatted(enum log_level level, const char *format, va_list args)
{
	char line[LINE_SIZE];
	int len;

	/* The prefix always fits: see NAME_SIZE. */
	len = snprintf(line, sizeof(line), "%s: %s", program_name,
	    level == LOG_LEVEL_WARNING ? "warning: " : "");
	len += vsnprintf(line + len, sizeof(line) - (size_t)len, format, args);
	if ((size_t)len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len] = '\n';
	write_line(level, line, (size_t)len + 1);
}

void
report_line(enum log_level level, const char *format, ...)
{
	va_list args;

	if (level > level_max)
		return;
	va_start(args, format);
	write_formatted(level, format, args);
	va_end(args);
}

/* Writes a line of any level. */
static void LOG_PRINTF(1, 2) answer(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_formatted(LOG_LEVEL_INFO, format, args);
	va_end(args);
}

static void
emit(enum log_level level, const char *text)
{
	if (n_lost > 0) {
		uint64_t n = n_lost;

		n_lost = 0;
		report_line(LOG_LEVEL_WARNING, "%" PRIu64 " lines were lost: %s", n,
		    parent_logfile_is_open() ? "the log file could not be written"
					     : "nobody read them");
	}
	report_line(level, "%s", text);
}

void
report_init(const char *name)
{
	int fd = fdio_reopen_nonblocking(STDERR_FILENO);

	text_escape(program_name, sizeof(program_name), name, strlen(name));
	if (fd != -1)
		log_fd = fd;
	log_set_emit(emit);
}

void
report_set_level(enum log_level level)
{
	level_max = level;
}

void
report_confined(const char *role, uint32_t intended, const struct ipc_confined *confined)
{
	char reached[LOG_TEXT_SIZE] = "";
	char missed[LOG_TEXT_SIZE] = "";
	char landlock[32] = "";

	for (size_t i = 0; i < IPC_STAGE_N; i++) {
		char *list = confined->stages & (1U << i) ? reached : missed;
		size_t len = strlen(list);

		if (list == reached || intended & (1U << i))
			snprintf(list + len, LOG_TEXT_SIZE - len, " %s",
			    ipc_stage_names[i]);
	}
	if (intended & (1U << IPC_STAGE_landlock))
		snprintf(landlock, sizeof(landlock), ", Landlock ABI %u",
		    confined->landlock_abi);
	report_line(LOG_LEVEL_DEBUG, "%s confined:%s; not:%s; %u system calls%s", role,
	    *reached ? reached : " none", *missed ? missed : " none", confined->n_calls,
	    landlock);
}

void
report_libslirp(const char *version)
{
	char numbers[LOG_TEXT_SIZE / 2];
	char shown[64];

	if (libslirp_known_open(libslirp_known, libslirp_n_known, version, numbers,
		sizeof(numbers)) == 0)
		return;
	text_escape(shown, sizeof(shown), version, strlen(version));
	log_warning(
	    "libslirp %s has known vulnerabilities that no check of slirpd covers:%s; "
	    "install a newer one",
	    shown, numbers);
}

/* Prints the numbers that are not 0, each with its kind and name. */
static void
answer_positive(const char *kind, const char *const *names, const uint64_t *numbers,
    size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (numbers[i] > 0)
			answer("stats: %s %s %" PRIu64, kind, names[i], numbers[i]);
}

void
report_stats(const struct ipc_stats *stats, uint32_t n_forwards)
{
	static const char *const counters[] = {
#define COUNTER_NAME(name, meaning) #name,
		IPC_COUNTERS(COUNTER_NAME)
	};
	static const char *const drops[] = {
#define DROP_NAME(name, meaning) #name,
		IPC_DROP_REASONS(DROP_NAME)
	};
	static const char *const tcp[] = {
#define TCP_NAME(name, meaning) #name,
		IPC_TCP_COUNTERS(TCP_NAME)
	};
	static const char *const tcp_ends[] = {
#define TCP_END_NAME(name, meaning) #name,
		IPC_TCP_ENDS(TCP_END_NAME)
	};

	for (size_t i = 0; i < IPC_COUNTER_N; i++)
		answer("stats: %s %" PRIu64, counters[i], stats->counters[i]);
	answer_positive("dropped", drops, stats->drops, IPC_DROP_N);
	answer_positive("tcp", tcp, stats->tcp, IPC_TCP_COUNTER_N);
	answer_positive("tcp ended", tcp_ends, stats->tcp_ends, IPC_TCP_END_N);
	answer("stats: forwards %" PRIu32, n_forwards);
}
