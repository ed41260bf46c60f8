/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends a question over TCP, and reads the answer (RFC 1035 4.2.2). */
#include "resolver/stream.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "resolver/client.h"
#include "resolver/question.h"

bool
stream_sends(const struct question *question)
{
	return question->n_sent < MESSAGE_PREFIX_LEN + question->len;
}

static enum stream_outcome
send_some(struct question *question)
{
	ssize_t n = send(question->fd, question->framed + question->n_sent,
	    MESSAGE_PREFIX_LEN + question->len - question->n_sent,
	    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n == -1)
		return errno == EAGAIN ? STREAM_GOES_ON : STREAM_FAILED;
	question->n_sent += (size_t)n;
	return STREAM_GOES_ON;
}

/* The bytes that are wanted of the answer, with its length. */
static size_t
n_wanted(const struct question *question)
{
	return question->n_read < MESSAGE_PREFIX_LEN
	    ? MESSAGE_PREFIX_LEN
	    : MESSAGE_PREFIX_LEN + (size_t)load_be16(question->asker.client->bytes);
}

static enum stream_outcome
read_some(struct question *question)
{
	ssize_t n = recv(question->fd, question->asker.client->bytes + question->n_read,
	    n_wanted(question) - question->n_read, MSG_DONTWAIT);

	if (n == -1)
		return errno == EAGAIN ? STREAM_GOES_ON : STREAM_FAILED;
	if (n == 0) {
		errno = ECONNRESET;
		return STREAM_FAILED;
	}
	question->n_read += (size_t)n;
	if (question->n_read < MESSAGE_PREFIX_LEN)
		return STREAM_GOES_ON;
	if (n_wanted(question) < MESSAGE_PREFIX_LEN + DNS_HEADER_LEN) {
		errno = EBADMSG;
		return STREAM_FAILED;
	}
	return question->n_read == n_wanted(question) ? STREAM_ANSWERED : STREAM_GOES_ON;
}

enum stream_outcome
stream_serve(struct question *question)
{
	return stream_sends(question) ? send_some(question) : read_some(question);
}
