/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks through an object and the objects in it. */
#pragma once

#include <jansson.h>

/* The size of a leaf's name with the names of the objects around it. */
#define LEAVES_NAME_SIZE 256

/* Takes one value. `name` is printable ASCII, as "counters.frames_from_guest". */
typedef void leaves_fn(void *context, const char *name, const json_t *value);

/* Calls leaf for each value that is not an object, in the order of the object. The names
 * of inner objects become a part of the leaf's name. A list of plain values is one
 * value. Objects deeper than six levels are values too. */
void leaves_each(const json_t *object, leaves_fn *leaf, void *context);
