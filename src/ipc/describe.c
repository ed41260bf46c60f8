/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds the table of messages from the rows of messages.h. */
#include "ipc/describe.h"

#include <assert.h>

#include "base/log.h"
#include "ipc/validate.h"

static_assert(IPC_LOG_TEXT_SIZE == LOG_TEXT_SIZE, "a log line fits one record");
/* unix(7): net.core.wmem_default, 212,992 bytes on most machines, holds 20 messages like the
 * longest, with the kernel's own data. */
static_assert(sizeof(struct ipc_dns_answer) < 4096 + 32,
    "a queue holds several messages");
#define SHORT_PAYLOAD(name) \
	static_assert(IPC_MSG_##name == IPC_MSG_dns_answer || \
		sizeof(struct ipc_##name) < 2048, \
	    "all other messages are below 2 KiB");
#define CHECK_SIZE(name, carries, when, meaning) \
	IPC_IF_PAYLOAD_##carries(SHORT_PAYLOAD(name))
IPC_ALL_ROWS(CHECK_SIZE)

const uint64_t ipc_protocol_hash = IPC_PROTOCOL_HASH;

const char *const ipc_stage_names[IPC_STAGE_N] = {
#define STAGE_NAME(name, meaning) #name,
	IPC_STAGES(STAGE_NAME)
#undef STAGE_NAME
};

const char *const ipc_role_names[IPC_ROLE_END] = {
#define ROLE_NAME(constant, name, ...) [IPC_ROLE_##constant] = (name),
	IPC_ROLES(ROLE_NAME)
#undef ROLE_NAME
};

/* The functions of the table take any payload and cast it to their type. */
#define VALIDATE(name) \
	static int validate_any_##name(const void *payload, const char **why) \
	{ \
		return ipc_validate_##name(payload, why); \
	}
#define VALIDATE_ANY(name, carries, when, meaning) \
	IPC_IF_PAYLOAD_##carries(VALIDATE(name))
IPC_ALL_ROWS(VALIDATE_ANY)

/* A row does not name its arrow. The number of rows of each list finds it. */
#define COUNT_ROW(...) +1
#define COUNT_ARROW(arrow, senders, receivers, ...) \
	[IPC_ARROW_##arrow] = 0 IPC_ROWS_##arrow(COUNT_ROW),

static const uint32_t n_rows_of_arrow[IPC_ARROW_N] = { IPC_ARROWS(COUNT_ARROW) };

enum ipc_arrow
ipc_arrow_of(enum ipc_message_id id)
{
	uint32_t n_before = 0;
	uint32_t arrow = 0;

	while (n_before + n_rows_of_arrow[arrow] <= id)
		n_before += n_rows_of_arrow[arrow++];
	return (enum ipc_arrow)arrow;
}

#define DESCRIBE(row, carries, when_of_row, meaning_of_row) \
	[IPC_MSG_##row] = { .name = #row, \
		.meaning = meaning_of_row, \
		.when = IPC_WHEN_##when_of_row, \
		.n_fds = IPC_N_FDS_##carries, \
		IPC_IF_PAYLOAD_##carries(.payload_size = sizeof(struct ipc_##row), \
		    .validate = validate_any_##row, ) },

const struct ipc_description ipc_descriptions[IPC_MSG_N] = { IPC_ALL_ROWS(DESCRIBE) };
