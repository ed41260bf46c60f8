/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats log lines and ends the process on a fatal error. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exitcode.h"
#include "base/text.h"

/* For a path in a line. */
#define PATH_SHOWN_SIZE 256

static void
log_emit_stderr(enum log_level level, const char *text)
{
	(void)level;
	fprintf(stderr, "%s\n", text);
}

/* Set once, at the start of each program. */
static log_emit_fn *log_emit = log_emit_stderr;
static int fatal_status = EXITCODE_FAILURE;

void
log_set_emit(log_emit_fn *emit)
{
	log_emit = emit;
}

int
log_set_fatal_status(int status)
{
	int before = fatal_status;

	fatal_status = status;
	return before;
}

static void LOG_PRINTF(2, 0)
    log_format(enum log_level level, const char *format, va_list args)
{
	char text[LOG_TEXT_SIZE];

	vsnprintf(text, sizeof(text), format, args);
	log_emit(level, text);
}

/* clang-format off */
#define LOG_FUNCTION(name, level) \
	void \
	name(const char *format, ...) \
	{ \
		va_list args; \
		va_start(args, format); \
		log_format(level, format, args); \
		va_end(args); \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
/* clang-format on */

void
fatal(const char *format, ...)
{
	int error = errno;
	char text[LOG_TEXT_SIZE];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len >= 0 && (size_t)len < sizeof(text))
		snprintf(text + len, sizeof(text) - (size_t)len, ": %s", strerror(error));
	log_emit(LOG_LEVEL_FATAL, text);
	exit(fatal_status);
}

void
fatal_path(const char *what, const char *path, const char *step)
{
	char shown[PATH_SHOWN_SIZE];
	int error = errno;

	text_escape(shown, sizeof(shown), path, strlen(path));
	errno = error;
	fatal("%s %s: %s", what, shown, step);
}

void
fatalx(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_format(LOG_LEVEL_FATAL, format, args);
	va_end(args);
	exit(fatal_status);
}
