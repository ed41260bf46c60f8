/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes log lines to standard error. */
#include "slirpctl/errlines.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void
errlines_emit(enum log_level level, const char *text)
{
	char escaped[LOG_TEXT_SIZE];

	text_escape_rest(escaped, sizeof(escaped), text, strlen(text));
	fprintf(stderr, "slirpctl: %s%s\n", level == LOG_LEVEL_WARNING ? "warning: " : "",
	    escaped);
}
