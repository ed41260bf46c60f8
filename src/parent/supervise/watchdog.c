/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends services whose loops do not go on. */
#include "parent/supervise/watchdog.h"

#include "base/clock.h"
#include "base/log.h"
#include "parent/supervise/children.h"
#include "parent/output/notify.h"
#include "parent/supervise/policy.h"
#include "parent/supervise/wiring.h"

/* The time between two pings. Each costs a service one turn of its loop, so an idle network
 * wakes its processes 12 times a minute. */
#define PING_INTERVAL_MS 5000

/* With so many pings unanswered a service hangs: it was silent for 20 s, in which the parent had
 * four turns. No turn of a loop takes a second, on a loaded machine either. */
#define UNANSWERED_MAX 4

void
watchdog_begin(struct supervisor *sv)
{
	sv->ping_at_ms = clock_now_ms() + PING_INTERVAL_MS;
}

/* Whether all services have answered all pings but the last. */
static bool
all_answer(const struct supervisor *sv)
{
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (sv->services[i].child.n_unanswered > 1)
			return false;
	return true;
}

uint64_t
watchdog_due_ms(const struct supervisor *sv)
{
	return all_answer(sv) ? deadline_earlier(sv->ping_at_ms, parent_notify_due_ms())
			      : sv->ping_at_ms;
}

static void
ping(struct service *service)
{
	struct child *child = &service->child;

	/* Before it is ready, its start has a limit (service.c). */
	if (!service->is_ready || child->pid == 0 || child->channel.fd == -1)
		return;
	if (child->n_unanswered == UNANSWERED_MAX) {
		log_error("%s[%d] hangs: it has not answered for %d s; ending it",
		    child->role->name, child->pid,
		    UNANSWERED_MAX * PING_INTERVAL_MS / CLOCK_MS_PER_S);
		children_kill(child);
		return;
	}
	child->n_unanswered++;
	/* A full queue: a service that does not read does not answer either. */
	if (ipc_send_ping(&child->channel) == 0)
		ipc_channel_await_reply(&child->channel, IPC_MSG_pong);
}

void
watchdog_handle(struct supervisor *sv, uint64_t now_ms)
{
	if (sv->phase != SUPERVISE_RUNNING)
		return;
	if (all_answer(sv))
		parent_notify_alive(now_ms);
	if (now_ms < sv->ping_at_ms)
		return;
	sv->ping_at_ms = now_ms + PING_INTERVAL_MS;
	/* So often, and not at once: a process that is short of descriptors stays so for a while. */
	wiring_connect_missed(sv);
	policy_end_hanging(sv, now_ms);
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (wirings[i].starter != IPC_ROLE_NONE)
			ping(&sv->services[i]);
}
