/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes a request with jansson and checks its arguments. */
#include "api/request/request.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/request/argument.h"

void
api_request_init(void)
{
	json_object_seed(0);
}

/* jansson's texts may quote the input. They are escaped when they are printed. */
static json_t *
decode(const char *text, size_t len, struct api_error *error)
{
	json_error_t why;
	json_t *root =
	    json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);

	if (!root)
		api_error_set(error, API_ERROR_ParseError, "cannot parse JSON", "%s",
		    why.text);
	return root;
}

static int
take_id(struct api_request *request, const json_t *id, struct api_error *error)
{
	size_t len;

	if (!id)
		return 0;
	len = json_dumpb(id, request->id, sizeof(request->id),
	    JSON_COMPACT | JSON_ENCODE_ANY);
	if (len == 0 || len > sizeof(request->id)) {
		api_error_set(error, API_ERROR_BadRequest, "bad id",
		    "id: wanted a value of at most %zu bytes", sizeof(request->id));
		return -1;
	}
	request->id_len = len;
	return 0;
}

static int
check_members(json_t *root, struct api_error *error)
{
	const char *key;
	json_t *value;

	json_object_foreach(root, key, value)
	{
		if (strcmp(key, "execute") != 0 && strcmp(key, "arguments") != 0 &&
		    strcmp(key, "id") != 0) {
			api_error_set(error, API_ERROR_BadRequest, "unknown member",
			    "a request has execute, arguments and id, nothing else");
			return -1;
		}
	}
	return 0;
}

static int
take_verb(struct api_request *request, const json_t *execute, bool in_session,
    struct api_error *error)
{
	if (!json_is_string(execute)) {
		api_error_set(error, API_ERROR_BadRequest, "no execute found",
		    "execute: wanted the name of a command");
		return -1;
	}
	request->verb = api_verb_find(json_string_value(execute));
	if (!request->verb) {
		api_error_set(error, API_ERROR_UnknownCommand, "unknown execute",
		    "query_commands lists the commands");
		return -1;
	}
	if (request->verb->only_in_session && !in_session) {
		api_error_set(error, API_ERROR_UnknownCommand, "unknown execute",
		    "%s needs a session, which qmp_capabilities begins",
		    request->verb->name);
		return -1;
	}
	return 0;
}

static int
bad_argument(const struct api_request *request, const char *name, struct api_error *error,
    const char *detail)
{
	char desc[API_ERROR_DESC_SIZE];

	snprintf(desc, sizeof(desc), "%s: bad arguments.%s", request->verb->name, name);
	api_error_set(error, API_ERROR_BadArgument, desc, "%s: %s", name, detail);
	return -1;
}

static int
take_argument(struct api_request *request, const struct api_arg *arg,
    const json_t *arguments, struct api_error *error)
{
	const json_t *value = json_object_get(arguments, arg->name);
	const struct api_arg_type_info *type = &api_arg_types[arg->type];
	char detail[API_ERROR_DETAIL_SIZE];

	if (!value || json_is_null(value)) {
		if (!arg->is_required)
			return 0;
		snprintf(detail, sizeof(detail), "missing; wanted %s", type->wanted);
		return bad_argument(request, arg->name, error, detail);
	}
	if (type->decode(value, (char *)&request->args + arg->offset) == 0)
		return 0;
	snprintf(detail, sizeof(detail), "wanted %s", type->wanted);
	return bad_argument(request, arg->name, error, detail);
}

static bool
is_argument(const struct api_verb *verb, const char *name)
{
	for (size_t i = 0; i < verb->n_args; i++)
		if (strcmp(verb->args[i].name, name) == 0)
			return true;
	return false;
}

static int
take_arguments(struct api_request *request, json_t *arguments, bool in_session,
    struct api_error *error)
{
	const struct api_verb *verb = request->verb;
	char desc[API_ERROR_DESC_SIZE];
	const char *key;
	json_t *value;

	for (size_t i = 0; i < verb->n_args; i++)
		if (take_argument(request, &verb->args[i], arguments, error) == -1)
			return -1;
	snprintf(desc, sizeof(desc), "%s: bad arguments", verb->name);
	if (in_session && arguments && !json_is_object(arguments) &&
	    !json_is_null(arguments)) {
		api_error_set(error, API_ERROR_BadArgument, desc,
		    "arguments: wanted an object");
		return -1;
	}
	json_object_foreach(arguments, key, value)
	{
		if (in_session && !is_argument(verb, key)) {
			api_error_set(error, API_ERROR_BadArgument, desc,
			    "there is an argument that %s does not have", verb->name);
			return -1;
		}
	}
	return 0;
}

/* Checks that need two arguments. */
static int
check_together(const struct api_request *request, struct api_error *error)
{
	const struct api_args *args = &request->args;
	uint8_t family = args->host_addr.addr.is_ipv6 ? API_FAMILY_IPV6 : API_FAMILY_IPV4;

	if (args->host_addr.is_given && !(api_protocols[args->proto].families & family))
		return bad_argument(request, "host_addr", error,
		    "its address family is not the one of proto");
	if (args->guest_port.last + (args->host_port.last - args->host_port.first) >
	    UINT16_MAX)
		return bad_argument(request, "guest_port", error,
		    "the range would end after port 65535");
	return 0;
}

int
api_request_parse(struct api_request *request, const char *text, size_t len,
    bool in_session, struct api_error *error)
{
	json_auto_t *root = NULL;

	*request = (struct api_request){ 0 };
	root = decode(text, len, error);
	if (!root)
		return -1;
	if (!json_is_object(root)) {
		api_error_set(error, API_ERROR_BadRequest, "json_object() failed",
		    "a request is an object: {\"execute\":...}");
		return -1;
	}
	/* The request that begins a session may have an id. */
	if (take_id(request, json_object_get(root, "id"), error) == -1 && in_session)
		return -1;
	if (in_session && check_members(root, error) == -1)
		return -1;
	if (take_verb(request, json_object_get(root, "execute"), in_session, error) ==
		-1 ||
	    take_arguments(request, json_object_get(root, "arguments"), in_session,
		error) == -1)
		return -1;
	return check_together(request, error);
}
