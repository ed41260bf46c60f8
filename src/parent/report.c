#include "parent/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/text.h"
#include "parent/libslirp_known.h"

/* A log line with the program's name, a role and a pid before it, and a newline. */
#define LINE_SIZE (LOG_TEXT_SIZE + 128)

/* Of the name in front of each line, which the caller chose. */
#define NAME_SIZE 64

/* Set once by report_init; a log function has no room for a context. */
static char program_name[NAME_SIZE] = "slirpd";
static int log_fd = STDERR_FILENO;
static uint64_t n_lost; /* lines that standard error did not take */

static void
write_line(const char *line, size_t len)
{
	if (fdio_write_nowait(log_fd, line, len) < len)
		n_lost++;
}

void
report_line(enum log_level level, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;
	int len;

	/* Both are short: see NAME_SIZE. */
	len = snprintf(line, sizeof(line), "%s: %s", program_name,
	    level == LOG_LEVEL_WARNING ? "warning: " : "");
	va_start(args, format);
	len += vsnprintf(line + len, sizeof(line) - (size_t)len, format, args);
	va_end(args);
	if ((size_t)len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len] = '\n';
	write_line(line, (size_t)len + 1);
}

static void
emit(enum log_level level, const char *text)
{
	if (n_lost > 0) {
		uint64_t n = n_lost;

		n_lost = 0;
		report_line(LOG_LEVEL_WARNING,
		    "%" PRIu64 " lines were lost: nobody read them", n);
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
report_confined(const char *role, uint32_t intended, const struct ipc_confined *confined)
{
	static const char *const stages[] = {
#define STAGE_NAME(name, meaning) #name,
		IPC_STAGES(STAGE_NAME)
	};
	char reached[LOG_TEXT_SIZE] = "";
	char missed[LOG_TEXT_SIZE] = "";
	char landlock[32] = "";

	for (size_t i = 0; i < IPC_STAGE_N; i++) {
		char *list = confined->stages & (1U << i) ? reached : missed;
		size_t len = strlen(list);

		if (list == reached || intended & (1U << i))
			snprintf(list + len, LOG_TEXT_SIZE - len, " %s", stages[i]);
	}
	if (intended & (1U << IPC_STAGE_landlock))
		snprintf(landlock, sizeof(landlock), ", Landlock ABI %u",
		    confined->landlock_abi);
	report_line(LOG_LEVEL_INFO, "%s confined:%s; not:%s; %u system calls%s", role,
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
	log_warning("libslirp %s has known holes that no check of slirpd covers:%s; a "
		    "newer one has not",
	    shown, numbers);
}

void
report_stats(const struct ipc_stats *stats)
{
	static const char *const counters[] = {
#define COUNTER_NAME(name, meaning) #name,
		IPC_COUNTERS(COUNTER_NAME)
	};
	static const char *const drops[] = {
#define DROP_NAME(name, meaning) #name,
		IPC_DROP_REASONS(DROP_NAME)
	};

	for (size_t i = 0; i < IPC_COUNTER_N; i++)
		report_line(LOG_LEVEL_INFO, "stats: %s %" PRIu64, counters[i],
		    stats->counters[i]);
	for (size_t i = 0; i < IPC_DROP_N; i++)
		if (stats->drops[i] > 0)
			report_line(LOG_LEVEL_INFO, "stats: dropped %s %" PRIu64,
			    drops[i], stats->drops[i]);
}
