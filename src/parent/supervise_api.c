#include "parent/supervise_api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "base/text.h"
#include "parent/network.h"
#include "parent/placed.h"
#include "parent/supervise.h"
#include "parent/supervise_children.h"
#include "parent/supervise_start.h"

/* After a life of at least this the api is started again at once. */
#define GOOD_LIFE_MS UINT64_C(60000)

/* From its start to api_ready it takes milliseconds, and on a loaded machine some more;
 * after this, something hangs, and clients wait for it. */
#define READY_TIMEOUT_MS 10000

/* Else the wait doubles, from what nobody notices to what keeps an api that can't live
 * from costing anything. */
#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS (30 * 1000)

static bool
has_api(const struct supervisor *sv)
{
	return sv->api.listen_fd != -1;
}

static struct child *
api_of(struct supervisor *sv)
{
	return &sv->children[IPC_ROLE_API];
}

static struct child *
spawner_of(struct supervisor *sv)
{
	return &sv->children[IPC_ROLE_SPAWNER];
}

/* All that an api is told at its begin. Returns 0, or -1 with errno set. */
static int
instruct(struct supervisor *sv)
{
	const struct ipc_fallback_userns offer = { 0 };
	const struct ipc_worker_channel channel = { 0 };
	const struct ipc_listen listen = { 0 };
	struct ipc_channel *api = &api_of(sv)->channel;
	autofd int api_end_fd = -1;

	if (ipc_send_confine(api, &sv->orders) == -1)
		return -1;
	if (sv->api.fallback_userns_fd != -1 &&
	    ipc_send_fallback_userns(api, &offer, sv->api.fallback_userns_fd) == -1)
		return -1;
	if (ipc_channel_pair(&sv->api.worker_end_fd, &api_end_fd) == -1 ||
	    ipc_send_worker_channel(api, &channel, api_end_fd) == -1 ||
	    ipc_send_listen(api, &listen, sv->api.listen_fd) == -1)
		return -1;
	ipc_channel_await_reply(api);
	return 0;
}

/* Returns 0, or -1 having logged the reason. */
static int
start(struct supervisor *sv)
{
	sv->api.started_at_ms = clock_now_ms();
	sv->api.start_at_ms = 0;
	sv->api.ready_by_ms = sv->api.started_at_ms + READY_TIMEOUT_MS;
	sv->api.is_ready = false;
	if (parent_spawn_by(api_of(sv), &roles[IPC_ROLE_API], spawner_of(sv)) == -1)
		return -1;
	if (api_of(sv)->channel.fd != -1 && instruct(sv) == -1) {
		log_error("instruct api: %s", strerror(errno));
		/* It comes to life, finds its channel closed, and ends. */
		ipc_channel_close(&api_of(sv)->channel);
	}
	return 0;
}

/* Sees to it that there will be another api. */
static void
schedule(struct supervisor *sv)
{
	struct api_life *api = &sv->api;
	uint64_t now_ms = clock_now_ms();

	if (api->worker_end_fd != -1)
		close(take_fd(&api->worker_end_fd));
	api->ready_by_ms = 0;
	if (now_ms - api->started_at_ms >= GOOD_LIFE_MS)
		api->delay_ms = 0;
	api->start_at_ms = now_ms + api->delay_ms;
	if (api->delay_ms == 0)
		api->delay_ms = DELAY_FIRST_MS;
	else if (api->delay_ms < DELAY_MAX_MS / 2)
		api->delay_ms *= 2;
	else
		api->delay_ms = DELAY_MAX_MS;
}

void
supervise_api_begin(struct supervisor *sv, const int *program_fds)
{
	if (!has_api(sv))
		return;
	if (sv->target.userns_fd != -1)
		sv->api.fallback_userns_fd =
		    fcntl(sv->target.userns_fd, F_DUPFD_CLOEXEC, 0);
	if (parent_spawn_spawner(spawner_of(sv), &roles[IPC_ROLE_SPAWNER],
		program_fds[IPC_ROLE_API]) == -1) {
		supervise_end(sv, EXITCODE_FAILURE);
		return;
	}
	supervise_confine_child(sv, IPC_ROLE_SPAWNER);
	if (start(sv) == -1)
		supervise_end(sv, EXITCODE_FAILURE);
}

void
parent_on_spawned(struct supervisor *sv, const struct ipc_spawned *msg)
{
	struct child *api = api_of(sv);

	if (msg->pid == 0) {
		ipc_channel_close(&api->channel);
		log_error("start api: %s", strerror((int)msg->error));
		if (sv->phase == SUPERVISE_STARTING)
			supervise_end(sv, EXITCODE_FAILURE);
		else
			schedule(sv);
		return;
	}
	if (supervise_adopt(sv, api, (pid_t)msg->pid) == -1) {
		log_error(
		    "spawner[%d] broke the protocol: spawned: %u is no child that it "
		    "could have started; ending it",
		    spawner_of(sv)->pid, msg->pid);
		supervise_kill(spawner_of(sv));
	}
	/* While the number was owed, only those with a known one were waited for. */
	supervise_reap(sv);
}

void
parent_on_api_ready(struct supervisor *sv, const struct ipc_api_ready *msg)
{
	(void)msg;
	sv->api.is_ready = true;
	sv->api.ready_by_ms = 0;
	ipc_channel_set_running(&api_of(sv)->channel);
	if (sv->phase == SUPERVISE_RUNNING) {
		supervise_api_connect_worker(sv);
		return;
	}
	supervise_check_ready(sv);
}

void
supervise_api_connect_worker(struct supervisor *sv)
{
	const struct ipc_api_channel msg = { .api_number = sv->api.n_restarts };
	autofd int fd = take_fd(&sv->api.worker_end_fd);

	if (fd == -1)
		return;
	if (ipc_send_api_channel(&sv->children[IPC_ROLE_SLIRP_WORKER].channel, &msg,
		fd) == 0)
		return;
	/* Without it the api is of no use; its next start tries again. */
	log_error("give slirp-worker its channel to api: %s", strerror(errno));
	supervise_kill(api_of(sv));
}

void
parent_on_api_dropped(struct supervisor *sv, const struct ipc_api_dropped *msg)
{
	struct child *api = api_of(sv);
	char why[LOG_TEXT_SIZE];

	/* It has died since, or was ended already. */
	if (msg->api_number != sv->api.n_restarts || api->channel.fd == -1)
		return;
	text_escape(why, sizeof(why), msg->why, strlen(msg->why));
	log_error("slirp-worker dropped api[%d]: %s; ending it", api->pid, why);
	supervise_kill(api);
}

/* There is no api, and there will be none: clients are not to wait for it. */
static void
give_up(struct supervisor *sv)
{
	log_error("there is no control socket any more, without api and spawner");
	sv->api.start_at_ms = 0;
	sv->api.ready_by_ms = 0;
	parent_placed_remove(PLACED_API_SOCKET);
	close(take_fd(&sv->api.listen_fd));
}

void
supervise_api_lost(struct supervisor *sv, const char *text)
{
	if (spawner_of(sv)->pid == 0) {
		log_error("%s", text);
		give_up(sv);
		return;
	}
	sv->api.n_restarts++;
	/* Told of each, so that none can be hidden behind others: how often it can come is
	 * bounded by the waits. */
	log_error("%s; starting it again", text);
	schedule(sv);
}

void
supervise_api_spawner_lost(struct supervisor *sv, const char *text)
{
	log_error("%s; the network goes on, but api can't be started again", text);
	if (sv->api.start_at_ms != 0 || api_of(sv)->pid == 0) {
		/* One that was being started and whose number never came. */
		ipc_channel_close(&api_of(sv)->channel);
		give_up(sv);
	}
}

int
supervise_api_timeout_ms(const struct supervisor *sv, uint64_t now_ms)
{
	/* There is one of them at most. */
	uint64_t due_ms = sv->api.start_at_ms + sv->api.ready_by_ms;

	if (due_ms == 0)
		return -1;
	return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

/* The api does not get ready. If it has no number, the spawner owes it. */
static void
end_hanging(struct supervisor *sv)
{
	struct child *child = api_of(sv)->pid != 0 ? api_of(sv) : spawner_of(sv);

	sv->api.ready_by_ms = 0;
	log_error("%s[%d] hangs: no api is ready after %d s; ending it",
	    child->role->name, child->pid, READY_TIMEOUT_MS / CLOCK_MS_PER_S);
	supervise_kill(child);
}

void
supervise_api_handle(struct supervisor *sv, uint64_t now_ms)
{
	if (sv->phase != SUPERVISE_RUNNING)
		return;
	if (sv->api.start_at_ms != 0 && now_ms >= sv->api.start_at_ms && start(sv) == -1)
		schedule(sv);
	if (sv->api.ready_by_ms != 0 && now_ms >= sv->api.ready_by_ms)
		end_hanging(sv);
}

void
supervise_api_tell(struct supervisor *sv, enum ipc_event_kind kind)
{
	const struct ipc_event event = { .kind = kind };

	/* One that has no room for it, or is not there, misses it. */
	if (sv->api.is_ready)
		(void)ipc_send_event(&api_of(sv)->channel, &event);
}

void
parent_on_get_status(struct supervisor *sv, const struct ipc_get_status *msg)
{
	struct ipc_status status = {
		.request = msg->request,
		.about = sv->about,
		.uptime_ms = sv->ready_at_ms ? clock_now_ms() - sv->ready_at_ms : 0,
		.n_api_restarts = sv->api.n_restarts,
		.parent_pid = (uint32_t)getpid(),
		.worker_pid = (uint32_t)sv->children[IPC_ROLE_SLIRP_WORKER].pid,
	};

	network_fill(&status.network, sv->options);
	memcpy(status.confined, sv->confined, sizeof(status.confined));
	if (sv->options->tap_name)
		snprintf(status.tap_name, sizeof(status.tap_name), "%s",
		    sv->options->tap_name);
	/* An api that asks faster than it reads waits for what it lost. */
	(void)ipc_send_status(&api_of(sv)->channel, &status);
}
