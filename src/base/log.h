/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines. The program decides where they go: the parent writes them to its standard
 * error, other roles send them to the parent as records. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_FATAL,   /* the reason why the process ends now */
	LOG_LEVEL_ERROR,   /* a request was not done */
	LOG_LEVEL_WARNING, /* may need attention */
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG, /* what only a developer or a test asks for */
};

#define LOG_N_LEVELS 5

/* Longer lines are cut off. Two lines of a wide terminal, and an IPC record. */
#define LOG_TEXT_SIZE 480

/* Takes one line, NUL-terminated, without a newline. Must not block. */
typedef void log_emit_fn(enum log_level level, const char *text);

/* Sets where lines go. Before the first call they go to standard error. */
void log_set_emit(log_emit_fn *emit);

/* Sets the status that fatal() and fatalx() end the process with: EXITCODE_FAILURE unless it is
 * called. Returns the status before. */
int log_set_fatal_status(int status);

#define LOG_PRINTF(text, first) __attribute__((format(printf, text, first)))

void log_error(const char *format, ...) LOG_PRINTF(1, 2);
void log_warning(const char *format, ...) LOG_PRINTF(1, 2);
void log_info(const char *format, ...) LOG_PRINTF(1, 2);

/* Logs the line, followed by ": " and the text of errno, and ends the process with
 * the status above. For setup only: in service nothing is fatal. */
_Noreturn void fatal(const char *format, ...) LOG_PRINTF(1, 2);

/* The same for a step on a file: "WHAT PATH: STEP: the text of errno". The path is
 * borrowed, and shown with bytes escaped that could harm a terminal. */
_Noreturn void fatal_path(const char *what, const char *path, const char *step);

/* fatal() without errno. */
_Noreturn void fatalx(const char *format, ...) LOG_PRINTF(1, 2);
