/* SPDX-License-Identifier: BSD-2-Clause */
/* Any message of the guest: nothing is read beyond its end, and the error that answers it repeats
 * its question, and is a whole message. */
#include "resolver/message.h"

#include <stdlib.h>
#include <string.h>

/* More than the resolver gets of the worker. */
#define FUZZ_MESSAGE_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
promise(bool kept)
{
	if (!kept)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Exactly as long as the message, so that a sanitizer sees a read beyond it. */
	uint8_t *bytes, answer[FUZZ_MESSAGE_MAX];
	struct message_question question;
	enum message_kind kind;
	size_t len;

	if (size == 0 || size > FUZZ_MESSAGE_MAX)
		return 0;
	bytes = malloc(size);
	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	kind = message_read_question(bytes, size, &question);
	if (kind != MESSAGE_IGNORED) {
		promise(question.end >= DNS_HEADER_LEN && question.end <= size);
		promise((question.rcode == DNS_NOERROR) == (kind == MESSAGE_QUESTION));
		len = message_make_error(bytes, question.end, DNS_SERVFAIL, answer);
		promise(len == question.end);
		/* An answer is never asked. */
		promise(message_read_question(answer, len, &question) == MESSAGE_IGNORED);
		if (kind == MESSAGE_QUESTION)
			promise(message_is_answer(answer, len, bytes, len) &&
			    message_is_failure(answer));
	}
	free(bytes);
	return 0;
}
