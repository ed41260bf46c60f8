/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls the functions of the engines in their order. */
#include "slirp-worker/engine/engine.h"

#include <assert.h>

#include "base/deadline.h"

#define CALL(engines, function, ...) \
	do { \
		for (const struct engine *engine = (engines)->list; \
		     engine < (engines)->list + (engines)->n; engine++) \
			if (engine->ops->function) \
				engine->ops->function(engine->self, __VA_ARGS__); \
	} while (0)

void
engines_add(struct engines *engines, const struct engine_ops *ops, void *self)
{
	assert(engines->n < ENGINES_MAX);
	engines->list[engines->n++] = (struct engine){ .ops = ops, .self = self };
}

uint64_t
engines_prepare(const struct engines *engines, uint64_t now_ms)
{
	uint64_t due_ms = DEADLINE_NONE;

	for (size_t i = 0; i < engines->n; i++) {
		const struct engine *engine = &engines->list[i];

		if (engine->ops->prepare)
			due_ms = deadline_earlier(due_ms,
			    engine->ops->prepare(engine->self, now_ms));
	}
	return due_ms;
}

void
engines_finish(const struct engines *engines, uint64_t now_ms)
{
	CALL(engines, finish, now_ms);
}

void
engines_free(struct engines *engines)
{
	while (engines->n > 0) {
		const struct engine *engine = &engines->list[--engines->n];

		engine->ops->free(engine->self);
	}
}
