/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reply, as slirpctl reads it from a socket that anybody may have made: it is understood
 * or refused, and not a byte of it reaches the terminal that is not printable ASCII.
 */

#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "slirpctl/reply.h"
#include "slirpctl/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
emit_nothing(enum log_level level, const char *text)
{
	(void)level;
	(void)text;
}

static void
check_show(void (*show)(FILE *, const json_t *), const json_t *value)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert(out != NULL);
	show(out, value);
	assert(fclose(out) == 0);
	for (size_t i = 0; i < len; i++)
		assert(text[i] == '\n' || (text[i] >= ' ' && text[i] < 0x7f));
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	const json_t *value, *entries;

	log_set_emit(emit_nothing);
	while (size > 0) {
		json_auto_t *reply = reply_take("/s", &bytes, &size);

		if (reply == NULL)
			break;
		check_show(show_json, reply);
		check_show(show_event, reply);
		check_show(show_fields, reply);
		if (reply_value(reply, "/s", "list", &value) != OUTCOME_OK)
			continue;
		entries = reply_entries(value, "entries", "/s", "list");
		if (entries == NULL)
			continue;
		check_show(show_forwards, entries);
		check_show(show_connections, entries);
	}
	return 0;
}
