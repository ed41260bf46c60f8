/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schemac: writes a JSON Schema of the replies and events of the control socket, from the
 * tables of commands, events and types. Runs on the machine that builds.
 *
 *	schemac -o FILE
 */
#include <err.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/request/types.h"
#include "api/request/verb.h"

/* The dialect: the newest that Debian 12's python3-jsonschema knows. */
#define DIALECT "https://json-schema.org/draft/2020-12/schema"

/* Names of definitions: "reply." and a verb, "event." and an event. */
#define NAME_SIZE 64

/* jansson returns NULL only without memory, or for a wrong format. */
static json_t *
made(json_t *value)
{
	if (!value)
		errx(EXIT_FAILURE, "make a value of the schema");
	return value;
}

static void
set(json_t *object, const char *key, json_t *take_value)
{
	if (json_object_set_new(object, key, take_value) == -1)
		errx(EXIT_FAILURE, "set %s in the schema", key);
}

static void
append(json_t *array, json_t *take_value)
{
	if (json_array_append_new(array, take_value) == -1)
		errx(EXIT_FAILURE, "append to an array of the schema");
}

static json_t *
reference(const char *name)
{
	char path[sizeof("#/$defs/") + NAME_SIZE];

	snprintf(path, sizeof(path), "#/$defs/%s", name);
	return made(json_pack("{ss}", "$ref", path));
}

static json_t *
schema_of_type(const char *type)
{
	if (strcmp(type, API_TYPE_INTEGER) == 0)
		return made(json_pack("{sssi}", "type", "integer", "minimum", 0));
	if (strcmp(type, API_TYPE_STRING) == 0 || strcmp(type, API_TYPE_BOOLEAN) == 0)
		return made(json_pack("{ss}", "type", type));
	return reference(type);
}

static json_t *
schema_of_member(const struct api_member *member)
{
	json_t *schema = schema_of_type(member->type);

	if (!member->is_array)
		return schema;
	return made(json_pack("{ssso}", "type", "array", "items", schema));
}

/* Members without a place in the table are allowed: clients ignore them. */
static json_t *
schema_of_object(const struct api_type *type)
{
	json_t *properties = made(json_object());
	json_t *required = made(json_array());

	for (size_t i = 0; i < type->n_members; i++) {
		const struct api_member *member = &type->members[i];

		set(properties, member->name, schema_of_member(member));
		if (!member->is_optional && !type->is_internal)
			append(required, made(json_string(member->name)));
	}
	return made(json_pack("{sssoso}", "type", "object", "properties", properties,
	    "required", required));
}

static json_t *
schema_of_reply(const struct api_verb *verb)
{
	json_t *properties = made(json_pack("{soso}", "return", reference(verb->returns),
	    "id", made(json_true())));

	for (const struct api_type *type = api_types; type->name; type++)
		for (size_t i = 0; verb->repeats_return && i < type->n_members &&
		     strcmp(type->name, verb->returns) == 0;
		     i++)
			set(properties, type->members[i].name,
			    schema_of_member(&type->members[i]));
	return made(json_pack("{ssso s[s]}", "type", "object", "properties", properties,
	    "required", "return"));
}

static json_t *
schema_of_error(void)
{
	return made(json_pack("{sss{soso}s[s]}", "type", "object", "properties", "error",
	    reference("error"), "id", made(json_true()), "required", "error"));
}

static json_t *
schema_of_event(enum api_event event)
{
	return made(json_pack("{sss{s{ss}soso}s[sss]}", "type", "object", "properties",
	    "event", "const", api_event_str(event), "data",
	    reference(api_event_data(event)), "timestamp", reference("timestamp"),
	    "required", "event", "data", "timestamp"));
}

/* Adds a definition "<kind>.<name>", and a reference to it to `all`. */
static void
define(json_t *definitions, json_t *all, const char *kind, const char *name,
    json_t *take_schema)
{
	char full[NAME_SIZE];

	if ((size_t)snprintf(full, sizeof(full), "%s.%s", kind, name) >= sizeof(full))
		errx(EXIT_FAILURE, "name a definition: %s is too long", name);
	set(definitions, full, take_schema);
	append(all, reference(full));
}

static json_t *
schema_of_all(void)
{
	json_t *definitions = made(json_object());
	json_t *replies = made(json_array());
	json_t *events = made(json_array());

	for (const struct api_type *type = api_types; type->name; type++)
		set(definitions, type->name, schema_of_object(type));
	for (const struct api_verb *verb = api_verbs; verb->name; verb++)
		define(definitions, replies, "reply", verb->name, schema_of_reply(verb));
	define(definitions, replies, "reply", "error", schema_of_error());
	for (int event = 0; event < API_EVENT_N; event++)
		define(definitions, events, "event", api_event_str((enum api_event)event),
		    schema_of_event((enum api_event)event));
	set(definitions, "reply", made(json_pack("{so}", "anyOf", replies)));
	set(definitions, "event", made(json_pack("{so}", "anyOf", events)));
	return made(json_pack("{ssss s[oo] so}", "$schema", DIALECT, "title",
	    "Replies and events of the control socket of slirpd; see slirpd-api(7)",
	    "anyOf", reference("reply"), reference("event"), "$defs", definitions));
}

int
main(int argc, char **argv)
{
	json_t *schema;
	FILE *file;

	if (argc != 3 || strcmp(argv[1], "-o") != 0)
		errx(EXIT_FAILURE, "usage: schemac -o FILE");
	schema = schema_of_all();
	file = fopen(argv[2], "w");
	if (!file)
		err(EXIT_FAILURE, "open %s", argv[2]);
	if (json_dumpf(schema, file, JSON_INDENT(1)) == -1 || fputc('\n', file) == EOF ||
	    fclose(file) == EOF)
		err(EXIT_FAILURE, "write %s", argv[2]);
	json_decref(schema);
	return EXIT_SUCCESS;
}
