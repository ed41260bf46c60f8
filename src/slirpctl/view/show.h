/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints replies on the terminal. Others may have chosen parts of a reply, so all output
 * is printable ASCII, in every locale. A missing value is shown as "-". Unknown members
 * are shown by show_fields() and show_json() only. The caller checks the stream for
 * errors. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "slirpctl/view/view.h"

/* Prints one line of JSON. */
void show_json(FILE *out, const json_t *value);

/* The states of an instance in `slirpctl ps --json`: words for programs. */
#define INSTANCE_RUNNING "running"
#define INSTANCE_NO_REPLY "no_reply"
#define INSTANCE_ENDED "ended"

/* Print tables with a line of titles. entries is an array of objects; those of
 * show_rates() are connections with rates (rates.h). If the terminal is
 * too narrow, the columns that do not fit are on a second line. */
void show_forwards(FILE *out, const json_t *entries, const struct view *view);
void show_connections(FILE *out, const json_t *entries, const struct view *view);
void show_policy(FILE *out, const json_t *entries, const struct view *view);
void show_pins(FILE *out, const json_t *entries, const struct view *view);
void show_denied(FILE *out, const json_t *entries, const struct view *view);
void show_rates(FILE *out, const json_t *entries, const struct view *view);
void show_instances(FILE *out, const json_t *entries, const struct view *view);

/* Prints a line of name and value for each leaf of an object. The names of inner objects
 * become a part of the leaf's name. */
void show_fields(FILE *out, const json_t *object);

/* Prints a session's event: time, name, and its data as name=value. */
void show_event(FILE *out, const json_t *event);
