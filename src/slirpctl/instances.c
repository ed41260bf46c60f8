/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the running slirpds of a user. */
#include "slirpctl/instances.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rundir.h"
#include "slirpctl/ask.h"
#include "slirpctl/view/show.h"
#include "slirpctl/view/units.h"

/* A slirpd that is stopped must not hide the others for long. */
#define TIMEOUT_MAX_S 2

struct instances {
	char directory[RUNDIR_PATH_SIZE];
	int dir_fd;
	struct dirent **entries; /* sorted by PID */
	int n;
};

#define autoinstances __attribute__((cleanup(instances_free)))

static void
instances_free(struct instances *instances)
{
	for (int i = 0; i < instances->n; i++)
		free(instances->entries[i]);
	free(instances->entries);
	auto_close(&instances->dir_fd);
}

/* Whether the name has the suffix and something before it. */
static int
is_socket_name(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > strlen(RUNDIR_SUFFIX) && entry->d_name[0] != '.' &&
	    strcmp(entry->d_name + len - strlen(RUNDIR_SUFFIX), RUNDIR_SUFFIX) == 0;
}

/* No directory means no slirpd. */
static bool
instances_read(struct instances *instances)
{
	instances->dir_fd = rundir_open(false, instances->directory);
	if (instances->dir_fd == -1 && errno == ENOENT)
		return true;
	if (instances->dir_fd != -1)
		instances->n = scandirat(instances->dir_fd, ".", &instances->entries,
		    is_socket_name, versionsort);
	if (instances->dir_fd != -1 && instances->n != -1)
		return true;
	instances->n = 0;
	log_error("read $XDG_RUNTIME_DIR/slirpd: %s",
	    errno == EPERM ? "other users may write to it" : strerror(errno));
	return false;
}

/* Writes the path of an instance. Returns false if it is too long for a socket: slirpd
 * makes no such name. */
static bool
path_of(const struct instances *instances, int i, char path[INSTANCES_PATH_SIZE])
{
	int n = snprintf(path, INSTANCES_PATH_SIZE, "%s/%s", instances->directory,
	    instances->entries[i]->d_name);

	return n < (int)INSTANCES_PATH_SIZE;
}

static bool
find_only(char path[INSTANCES_PATH_SIZE], bool may_fail)
{
	autoinstances struct instances instances = { .dir_fd = -1 };
	char candidate[INSTANCES_PATH_SIZE];
	int n = 0;

	if (!instances_read(&instances))
		return false;
	for (int i = 0; i < instances.n; i++) {
		if (!path_of(&instances, i, candidate) || !rundir_is_served(candidate))
			continue;
		memcpy(path, candidate, INSTANCES_PATH_SIZE);
		n++;
	}
	if (n == 1)
		return true;
	if (may_fail)
		return false;
	if (n == 0)
		log_error("no slirpd of this user has a control socket that can be "
			  "found; name the socket with --api-socket");
	else
		log_error("%d slirpds of this user run; name the socket of one with "
			  "--api-socket: slirpctl ps lists them",
		    n);
	return false;
}

bool
instances_find_socket(struct cmdline *cmdline, bool is_optional)
{
	static char path[INSTANCES_PATH_SIZE];

	if (cmdline->socket_path != NULL)
		return true;
	if (!find_only(path, is_optional))
		return is_optional;
	cmdline->socket_path = path;
	return true;
}

/* Adds what the daemon says, and returns its state. A failure has been logged; the entry
 * then has no more than its socket. */
static const char *
describe(const struct cmdline *cmdline, const char *path, json_t *entry)
{
	struct cmdline asked = *cmdline;
	json_auto_t *reply = NULL, *list_reply = NULL;
	const json_t *status, *forwards;
	const json_t *network;
	char started_at[UNITS_TIME_SIZE];
	json_int_t uptime_ms;

	asked.socket_path = path;
	if (asked.timeout_s > TIMEOUT_MAX_S)
		asked.timeout_s = TIMEOUT_MAX_S;
	if (ask_plain(&asked, "ps", "query_status", &reply, &status) != OUTCOME_OK ||
	    ask_list(&asked, "ps", "list_hostfwd", "entries", &list_reply, &forwards) !=
		OUTCOME_OK)
		return INSTANCE_NO_REPLY;
	network = json_object_get(status, "network");
	uptime_ms = json_integer_value(json_object_get(status, "uptime_ms"));
	json_object_set(entry, "pid",
	    json_object_get(json_object_get(status, "pids"), "parent"));
	json_object_set(entry, "tap_name", json_object_get(status, "tap_name"));
	json_object_set(entry, "guest_addr", json_object_get(network, "guest_addr"));
	json_object_set_new(entry, "n_forwards",
	    json_integer((json_int_t)json_array_size(forwards)));
	json_object_set_new(entry, "uptime_ms", json_integer(uptime_ms));
	units_time(time(NULL) - (time_t)(uptime_ms / CLOCK_MS_PER_S), -1, started_at);
	json_object_set_new(entry, "started_at", json_string(started_at));
	return INSTANCE_RUNNING;
}

/* Returns a new reference, or NULL if the instance is not shown. */
static json_t *
entry_of(const struct cmdline *cmdline, const struct instances *instances, int i)
{
	const char *name = instances->entries[i]->d_name;
	char path[INSTANCES_PATH_SIZE], target[PATH_MAX];
	const char *state = INSTANCE_ENDED;
	json_t *entry;
	bool running;
	ssize_t n;

	if (!path_of(instances, i, path))
		return NULL;
	running = rundir_is_served(path);
	if (!running && !cmdline->shows_all)
		return NULL;
	/* The socket itself is in the directory, or a link to it. */
	n = readlinkat(instances->dir_fd, name, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	/* JSON needs UTF-8: the member is missing if the path is not. */
	entry = json_pack("{s:I}", "pid", (json_int_t)strtoll(name, NULL, 10));
	json_object_set_new(entry, "socket", json_string(n > 0 ? target : path));
	if (running)
		state = describe(cmdline, path, entry);
	json_object_set_new(entry, "state", json_string(state));
	return entry;
}

enum outcome
instances_show(const struct cmdline *cmdline)
{
	autoinstances struct instances instances = { .dir_fd = -1 };
	json_auto_t *entries = json_array();
	json_auto_t *shown = json_pack("{s:O}", "instances", entries);
	struct view view = view_of_stdout(cmdline->shows_all);

	if (!instances_read(&instances))
		return OUTCOME_NO_REPLY;
	for (int i = 0; i < instances.n; i++) {
		json_t *entry = entry_of(cmdline, &instances, i);

		if (entry != NULL)
			json_array_append_new(entries, entry);
	}
	if (cmdline->as_json)
		show_json(stdout, shown);
	else
		show_instances(stdout, entries, &view);
	return OUTCOME_OK;
}
