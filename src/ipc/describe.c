#include "ipc/describe.h"

#include <assert.h>

#include "base/log.h"
#include "ipc/validate.h"

static_assert(IPC_LOG_TEXT_SIZE == LOG_TEXT_SIZE, "a log line fits one record");
/* ipc_channel keeps the messages seen as bits. */
static_assert(IPC_MSG_N <= 64, "message numbers fit a 64-bit set");

const uint64_t ipc_protocol_hash = IPC_PROTOCOL_HASH;

/* The table's functions take any payload; each knows its own type again. */
#define VALIDATE_ANY(name, n_fds, when, meaning) \
	static int validate_any_##name(const void *payload, const char **why) \
	{ \
		return ipc_validate_##name(payload, why); \
	}
IPC_ALL_ROWS(VALIDATE_ANY)

/* clang-format off */
#define DESCRIBE(arrow_of_row, name_of_row, n_fds_of_row, when_of_row, meaning_of_row) \
	[IPC_MSG_##name_of_row] = { \
		.name = #name_of_row, \
		.meaning = meaning_of_row, \
		.arrow = IPC_ARROW_##arrow_of_row, \
		.when = IPC_WHEN_##when_of_row, \
		.payload_size = sizeof(struct ipc_##name_of_row), \
		.n_fds = n_fds_of_row, \
		.validate = validate_any_##name_of_row, \
	},
#define DESCRIBE_BOTH_WAYS(...) DESCRIBE(BOTH_WAYS, __VA_ARGS__)
#define DESCRIBE_CHILD_TO_PARENT(...) DESCRIBE(CHILD_TO_PARENT, __VA_ARGS__)
#define DESCRIBE_PARENT_TO_CHILD(...) DESCRIBE(PARENT_TO_CHILD, __VA_ARGS__)
#define DESCRIBE_PARENT_TO_NETNS_HELPER(...) DESCRIBE(PARENT_TO_NETNS_HELPER, __VA_ARGS__)
#define DESCRIBE_NETNS_HELPER_TO_PARENT(...) DESCRIBE(NETNS_HELPER_TO_PARENT, __VA_ARGS__)
#define DESCRIBE_PARENT_TO_JAILED(...) DESCRIBE(PARENT_TO_JAILED, __VA_ARGS__)
#define DESCRIBE_PARENT_TO_SLIRP_WORKER(...) DESCRIBE(PARENT_TO_SLIRP_WORKER, __VA_ARGS__)
#define DESCRIBE_SLIRP_WORKER_TO_PARENT(...) DESCRIBE(SLIRP_WORKER_TO_PARENT, __VA_ARGS__)
#define DESCRIBE_PARENT_TO_SPAWNER(...) DESCRIBE(PARENT_TO_SPAWNER, __VA_ARGS__)
#define DESCRIBE_SPAWNER_TO_PARENT(...) DESCRIBE(SPAWNER_TO_PARENT, __VA_ARGS__)
#define DESCRIBE_PARENT_TO_API(...) DESCRIBE(PARENT_TO_API, __VA_ARGS__)
#define DESCRIBE_API_TO_PARENT(...) DESCRIBE(API_TO_PARENT, __VA_ARGS__)
#define DESCRIBE_API_TO_SLIRP_WORKER(...) DESCRIBE(API_TO_SLIRP_WORKER, __VA_ARGS__)
#define DESCRIBE_SLIRP_WORKER_TO_API(...) DESCRIBE(SLIRP_WORKER_TO_API, __VA_ARGS__)
#define DESCRIBE_ARROW(arrow) IPC_ROWS_##arrow(DESCRIBE_##arrow)

const struct ipc_description ipc_descriptions[IPC_MSG_N] = {
	IPC_ARROWS(DESCRIBE_ARROW)
};
/* clang-format on */
