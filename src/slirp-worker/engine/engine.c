/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls the functions of the engines in their order. */
#include "slirp-worker/engine/engine.h"

#include <assert.h>

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

void
engines_prepare(const struct engines *engines, struct pollset *set, uint32_t *timeout_ms,
    uint64_t now_ms)
{
	CALL(engines, prepare, set, timeout_ms, now_ms);
}

void
engines_finish(const struct engines *engines, const struct pollset *set, bool wait_failed,
    uint64_t now_ms)
{
	CALL(engines, finish, set, wait_failed, now_ms);
}

void
engines_set_outbound(const struct engines *engines, const struct ipc_outbound *outbound)
{
	CALL(engines, set_outbound, outbound);
}

void
engines_free(struct engines *engines)
{
	while (engines->n > 0) {
		const struct engine *engine = &engines->list[--engines->n];

		engine->ops->free(engine->self);
	}
}
