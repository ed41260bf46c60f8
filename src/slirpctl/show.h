/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies on the terminal. What the daemon sends may have been chosen by others, so all
 * of it comes out as printable ASCII, whatever it was. What is missing is a "-"; what is
 * not known is shown by show_fields and show_json only. Whether writing succeeded is for
 * the caller to ask of the stream.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* One line of JSON. */
void show_json(FILE *out, const json_t *value);

/* Tables with a line of titles; entries is an array of objects. */
void show_forwards(FILE *out, const json_t *entries);
void show_connections(FILE *out, const json_t *entries);

/* An object, each of its leaves a line of name and value; inner objects become part of
 * the names. */
void show_fields(FILE *out, const json_t *object);

/* A session's event: time, name, and its data as name=value. */
void show_event(FILE *out, const json_t *event);
