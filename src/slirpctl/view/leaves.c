/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks through the values of an object. */
#include "slirpctl/view/leaves.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Replies have two levels now. */
#define DEPTH_MAX 6

static bool
is_leaf(const json_t *value, int depth)
{
	if (depth == DEPTH_MAX)
		return true;
	if (json_is_object(value))
		return depth > 0 && json_object_size(value) == 0;
	/* A list of words or numbers is one value. A list of objects is several. */
	return !json_is_array(value) || !json_is_object(json_array_get(value, 0));
}

/* name holds LEAVES_NAME_SIZE bytes. The first len are the names of the objects
 * around. */
static void
walk(char *name, size_t len, const json_t *value, int depth, leaves_fn *leaf,
    void *context)
{
	const char *key;
	json_t *inner;
	size_t i;

	if (is_leaf(value, depth)) {
		leaf(context, name, value);
		return;
	}
	if (len > 0 && len + 1 < LEAVES_NAME_SIZE)
		name[len++] = '.';
	if (json_is_array(value)) {
		json_array_foreach(value, i, inner)
		{
			int n = snprintf(name + len, LEAVES_NAME_SIZE - len, "%zu", i);

			walk(name,
			    len + (size_t)n < LEAVES_NAME_SIZE ? len + (size_t)n : len,
			    inner, depth + 1, leaf, context);
		}
		return;
	}
	json_object_foreach((json_t *)value, key, inner)
	{
		size_t n =
		    text_escape(name + len, LEAVES_NAME_SIZE - len, key, strlen(key));

		walk(name, len + n, inner, depth + 1, leaf, context);
	}
}

void
leaves_each(const json_t *object, leaves_fn *leaf, void *context)
{
	char name[LEAVES_NAME_SIZE] = "";

	walk(name, 0, object, 0, leaf, context);
}
