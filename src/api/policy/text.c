/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the text of a policy while a session sends it. */
#include "api/policy/text.h"

#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/policy/show.h"
#include "base/text.h"

static void
reply_empty(struct api *api, struct api_client *client)
{
	struct api_out *out = api_client_reply_begin(client);

	api_out_open(out, NULL, '{');
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

void
api_start_policy_begin(struct api *api, struct api_client *client)
{
	struct api_policy_text *text = &api->policy.text;
	const struct api_text *name = &client->request.args.text;

	if (!api_policy_check(api, client))
		return;
	if (text->owner && text->owner != client &&
	    api->now_ms < text->touched_ms + API_POLICY_TEXT_PATIENCE_MS) {
		api_policy_refuse(api, client, API_ERROR_Busy,
		    "another session sends a policy");
		return;
	}
	text->owner = client;
	text->touched_ms = api->now_ms;
	text->len = 0;
	/* It is in errors, in the log and in replies. */
	text_escape(text->name, sizeof(text->name), name->bytes,
	    name->len > 0 ? name->len - 1 : 0);
	if (text->name[0] == '\0')
		snprintf(text->name, sizeof(text->name), "api");
	reply_empty(api, client);
}

bool
api_policy_text_check(struct api *api, struct api_client *client)
{
	if (!api_policy_check(api, client))
		return false;
	if (api->policy.text.owner == client)
		return true;
	api_policy_refuse(api, client, API_ERROR_Conflict,
	    "policy_begin comes first; a session that is silent for 10 seconds loses its "
	    "text to another");
	return false;
}

void
api_start_policy_add(struct api *api, struct api_client *client)
{
	struct api_policy_text *text = &api->policy.text;
	const struct api_text *lines = &client->request.args.text;

	if (!api_policy_text_check(api, client))
		return;
	text->touched_ms = api->now_ms;
	if (lines->len > POLICY_TEXT_MAX - text->len) {
		api_policy_refuse(api, client, API_ERROR_BadPolicy,
		    "the text is longer than 1 MiB");
		return;
	}
	memcpy(text->bytes + text->len, lines->bytes, lines->len);
	text->len += lines->len;
	reply_empty(api, client);
}

void
api_policy_text_leave(struct api_policy_text *text, const struct api_client *client)
{
	if (text->owner != client)
		return;
	text->owner = NULL;
	text->len = 0;
}
