/* SPDX-License-Identifier: BSD-2-Clause */
/* Names the classes of errors, and fills in an error. */
#include "api/request/error.h"

#include <stdarg.h>
#include <stdio.h>

const char *api_error_class_str(enum api_error_class class)
{
	static const char *const words[API_ERROR_N] = {
#define WORD(name, meaning) [API_ERROR_##name] = #name,
		API_ERROR_CLASSES(WORD)
#undef WORD
	};

	return words[class];
}

void
api_error_set(struct api_error *error, enum api_error_class class, const char *desc,
    const char *detail_format, ...)
{
	va_list args;

	error->class = class;
	snprintf(error->desc, sizeof(error->desc), "%s", desc);
	va_start(args, detail_format);
	vsnprintf(error->detail, sizeof(error->detail), detail_format, args);
	va_end(args);
}
