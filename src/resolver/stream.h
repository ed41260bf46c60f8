/* SPDX-License-Identifier: BSD-2-Clause */
/* A question that is asked over TCP: the guest has asked over TCP itself, because the answer is
 * long. Its bytes go through the buffer of its client. */
#pragma once

#include <stdbool.h>

struct question;

enum stream_outcome {
	STREAM_GOES_ON,
	STREAM_ANSWERED, /* the message is in the client's bytes, n_read bytes with the length */
	STREAM_FAILED, /* errno is set */
};

/* Whether the question is still being sent; else the answer is read. */
bool stream_sends(const struct question *question);

/* Sends and reads as much as the question's socket takes and has. */
enum stream_outcome stream_serve(struct question *question);
