/* SPDX-License-Identifier: BSD-2-Clause */
/* From a client's text to a checked request. Only user of jansson. The result is right
 * in every type and range. The worker checks the message again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/request/error.h"
#include "api/request/verb.h"

/* A request is shorter than this: the size of slirp4netns's buffer, and more than ten
 * times the longest useful request. */
#define API_REQUEST_SIZE 4096
/* JSON text of an id: a UUID or a small structure. The reply returns it. */
#define API_ID_SIZE 256

struct api_request {
	const struct api_verb *verb; /* NULL: not known */
	struct api_args args;
	size_t id_len; /* 0: no id came */
	char id[API_ID_SIZE];
};

/* Seeds jansson's hash tables. This opens /dev/urandom: call it before the jail. */
void api_request_init(void);

/* Decodes len bytes of JSON. In a session a request may have an id, and unknown members
 * are errors. Version 1 ignores unknown members, as slirp4netns does. Returns 0, or -1
 * with *error set. The verb and the id are set as far as they were read. */
int api_request_parse(struct api_request *request, const char *text, size_t len,
    bool in_session, struct api_error *error);
