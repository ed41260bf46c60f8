/* SPDX-License-Identifier: BSD-2-Clause */
/* Any message of a name server to any question: the first two bytes are the length of the
 * question. Nothing is read beyond an end, and what is cut short is still an answer. */
#include "resolver/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

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
	struct message_question question;
	const uint8_t *asked = data + 2;
	size_t asked_len, len;
	uint8_t *answer;

	if (size < 3)
		return 0;
	asked_len = load_be16(data) % (size - 2);
	if (message_read_question(asked, asked_len, &question) != MESSAGE_QUESTION)
		return 0;
	len = size - 2 - asked_len;
	answer = malloc(len);
	if (!answer)
		return 0;
	memcpy(answer, asked + asked_len, len);
	if (message_is_answer(answer, len, asked, question.end)) {
		promise(message_id(answer) == message_id(asked));
		promise(len == DNS_HEADER_LEN || len >= question.end);
		(void)message_is_failure(answer);
		if (len >= question.end) {
			promise(message_cut(answer, question.end) == question.end);
			promise(
			    message_is_answer(answer, question.end, asked, question.end));
		}
	}
	free(answer);
	return 0;
}
