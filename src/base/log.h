/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines. Where they go is the program's choice: the parent writes them to its
 * standard error, the other roles send them to the parent as records.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_FATAL,   /* the reason for which the process ends now */
	LOG_LEVEL_ERROR,   /* something asked for was not done */
	LOG_LEVEL_WARNING, /* something to look at */
	LOG_LEVEL_INFO,
};

#define LOG_N_LEVELS 4

/* A line is cut off past this: two lines of a wide terminal, and an IPC record. */
#define LOG_TEXT_SIZE 480

/* Takes one line, NUL-terminated, without a newline; must not block. */
typedef void log_emit_fn(enum log_level level, const char *text);

/* Sets where lines go. Until it is called they go to standard error as they are. */
void log_set_emit(log_emit_fn *emit);

#define LOG_PRINTF(text, first) __attribute__((format(printf, text, first)))

void log_error(const char *format, ...) LOG_PRINTF(1, 2);
void log_warning(const char *format, ...) LOG_PRINTF(1, 2);
void log_info(const char *format, ...) LOG_PRINTF(1, 2);

/* Logs the line, followed by ": " and the text of errno, and ends the process with
 * EXITCODE_FAILURE. For setup only: in service nothing is fatal. */
_Noreturn void fatal(const char *format, ...) LOG_PRINTF(1, 2);

/* The same for a step on a file: "WHAT PATH: STEP: the text of errno", where the path
 * (borrowed) is shown with what could harm a terminal made harmless. */
_Noreturn void fatal_path(const char *what, const char *path, const char *step);

/* fatal without errno, for what is not a system call's failure. */
_Noreturn void fatalx(const char *format, ...) LOG_PRINTF(1, 2);
