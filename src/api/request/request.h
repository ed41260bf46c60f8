/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's text to a checked request. The only user of jansson. What passes here is
 * right in every type and range; the worker checks the message that is made of it once
 * more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/request/error.h"
#include "api/request/verb.h"

/* A request with all that belongs to it, the last byte included, is shorter than this:
 * the size of slirp4netns's buffer, and more than ten times the longest sensible
 * request. */
#define API_REQUEST_SIZE 4096
/* JSON text of an id: a UUID, or a small structure. It comes back in a reply. */
#define API_ID_SIZE 256

struct api_request {
	const struct api_verb *verb; /* NULL while it is not known */
	struct api_args args;
	size_t id_len; /* 0: no id came */
	char id[API_ID_SIZE];
};

/* Seeds jansson's hash tables, which opens /dev/urandom: to be called before the jail. */
void api_request_init(void);

/*
 * Decodes len bytes of JSON. A session's request may have an id, and nothing that is not
 * known; version 1 takes no notice of what it does not know, as slirp4netns does. Returns
 * 0, or -1 with *error set; the verb and the id are there as far as they could be read.
 */
int api_request_parse(struct api_request *request, const char *text, size_t len,
    bool in_session, struct api_error *error);
