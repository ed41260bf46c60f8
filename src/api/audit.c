/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the log lines about requests that change something. */
#include "api/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "api/api.h"
#include "base/log.h"

void
api_audit(struct api *api, const struct api_client *client, const char *format, ...)
{
	uint64_t n_held_back = api->audit.n_held_back;
	char text[LOG_TEXT_SIZE];
	va_list args;

	if (!ratelimit_allow(&api->audit, api->now_ms))
		return;
	if (n_held_back)
		log_info("%" PRIu64 " lines on requests were held back", n_held_back);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_info("request of pid %d uid %u gid %u: %s", client->peer.pid,
	    client->peer.uid, client->peer.gid, text);
}
