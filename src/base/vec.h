/* SPDX-License-Identifier: BSD-2-Clause */
/* Growable arrays: a pointer from malloc(3), the items in use, the items allocated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The first allocation: few steps from it to thousands, and little memory until then. */
#define VEC_SIZE_FIRST 16

static inline bool
vec_make_room(void *items, size_t item_size, size_t n, size_t *size)
{
	size_t new_size = *size ? *size * 2 : VEC_SIZE_FIRST;
	void *old, *grown;

	if (n < *size)
		return true;
	memcpy(&old, items, sizeof(old));
	grown = reallocarray(old, new_size, item_size);
	if (!grown)
		return false;
	memcpy(items, &grown, sizeof(grown));
	*size = new_size;
	return true;
}

/* Makes room for one item more than n: doubles the array if its *size is used up. items is
 * the address of the pointer (NULL: none yet). False if memory is low; the array stays. */
#define VEC_MAKE_ROOM(items, n, size) \
	vec_make_room((items), sizeof(**(items)), (n), (size))
