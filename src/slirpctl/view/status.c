/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints the state of a daemon. */
#include "slirpctl/view/status.h"

#include <bsd/string.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "slirpctl/view/cell.h"
#include "slirpctl/view/units.h"

/* The longest label, and two spaces. */
#define LABEL_WIDTH 15

/* Some addresses with words. */
#define LINE_SIZE ((size_t)4 * CELL_SIZE)

/* More forwards are counted only. `slirpctl list` shows all. */
#define N_FORWARDS_SHOWN 5

/* The prefix of a guest's IPv6 network. */
#define PREFIX6_LEN "/64"

/* Writes a label and a value. The value is broken at spaces if the terminal is too
 * narrow. */
static void
line_write(FILE *out, const struct view *view, const char *label, const char *value)
{
	size_t column = LABEL_WIDTH;

	fprintf(out, "%-*s", LABEL_WIDTH, label);
	for (bool is_first = true; *value != '\0'; is_first = false) {
		size_t len = strcspn(value, " ");

		if (!is_first && view->n_columns > 0 &&
		    column + 1 + len > view->n_columns) {
			fprintf(out, "\n%*s", LABEL_WIDTH, "");
			column = LABEL_WIDTH;
		} else if (!is_first) {
			putc(' ', out);
			column++;
		}
		fwrite(value, 1, len, out);
		column += len;
		value += len;
		value += strspn(value, " ");
	}
	putc('\n', out);
}

/* Appends a word and a value of the object to line. */
static void
append(char line[LINE_SIZE], const char *word, const json_t *object, const char *key,
    const char *end)
{
	char cell[CELL_SIZE];

	cell_format(cell, sizeof(cell), json_object_get(object, key));
	strlcat(line, word, LINE_SIZE);
	strlcat(line, cell, LINE_SIZE);
	strlcat(line, end, LINE_SIZE);
}

static bool
is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static uint64_t
count_of(const json_t *object, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n > 0 ? (uint64_t)n : 0;
}

static void
versions_write(FILE *out, const struct view *view, const json_t *version)
{
	char line[LINE_SIZE] = "";

	append(line, "", version, "slirpd", "");
	append(line, " with libslirp ", version, "libslirp", "");
	line_write(out, view, "slirpd", line);
}

static void
uptime_write(FILE *out, const struct view *view, const json_t *status, time_t now)
{
	uint64_t uptime_ms = count_of(status, "uptime_ms");
	time_t since = now - (time_t)(uptime_ms / CLOCK_MS_PER_S);
	char duration[UNITS_SIZE], start[UNITS_TIME_SIZE], line[LINE_SIZE];

	snprintf(line, sizeof(line), "%s, since %s", units_duration(uptime_ms, duration),
	    units_time(since, -1, start));
	line_write(out, view, "up", line);
}

static void
network_write(FILE *out, const struct view *view, const json_t *status)
{
	const json_t *network = json_object_get(status, "network");
	bool has_ipv6 = is_true(network, "ipv6_enabled");
	char line[LINE_SIZE] = "";
	const char *tap = json_string_value(json_object_get(status, "tap_name"));

	/* An inherited TAP has a name in its own namespace only. */
	if (tap == NULL || tap[0] == '\0')
		strlcat(line, "inherited", sizeof(line));
	else
		append(line, "", status, "tap_name", "");
	append(line, ", MTU ", network, "mtu_bytes", "");
	line_write(out, view, "interface", line);

	line[0] = '\0';
	append(line, "", network, "guest_addr", "/");
	append(line, "", network, "prefix_len", "");
	append(line, ", gateway ", network, "host_addr", "");
	line_write(out, view, "guest", line);

	line[0] = '\0';
	if (has_ipv6) {
		append(line, "network ", network, "network_addr6", PREFIX6_LEN);
		append(line, ", gateway ", network, "host_addr6", "");
	}
	line_write(out, view, "guest IPv6", has_ipv6 ? line : "off");

	line[0] = '\0';
	append(line, "", network, "nameserver_addr", "");
	if (has_ipv6)
		append(line, ", ", network, "nameserver_addr6", "");
	line_write(out, view, "name server",
	    is_true(network, "dns_enabled") ? line : "off");

	line_write(out, view, "host loopback",
	    is_true(network, "host_loopback_allowed") ? "open to the guest" : "closed");
}

static void
forwards_write(FILE *out, const struct view *view, const json_t *forwards)
{
	char host[CELL_SIZE], guest[CELL_SIZE], proto[CELL_SIZE], line[LINE_SIZE];
	const json_t *entry;
	size_t i;

	if (json_array_size(forwards) == 0)
		line_write(out, view, "forwards", "none");
	json_array_foreach(forwards, i, entry)
	{
		const char *label = i == 0 ? "forwards" : "";

		if (i == N_FORWARDS_SHOWN && json_array_size(forwards) > i + 1) {
			snprintf(line, sizeof(line), "and %zu more: slirpctl list",
			    json_array_size(forwards) - i);
			line_write(out, view, label, line);
			return;
		}
		cell_format(proto, sizeof(proto), json_object_get(entry, "proto"));
		cell_endpoint_format(host, entry, "host_addr", "host_port");
		cell_endpoint_format(guest, entry, "guest_addr", "guest_port");
		snprintf(line, sizeof(line), "%s %s -> %s", proto, host, guest);
		line_write(out, view, label, line);
	}
}

/* The name of a process for people: slirp-worker, not slirp_worker. */
static void
role_format(char *name, size_t size, const char *member)
{
	text_escape(name, size, member, strlen(member));
	for (char *c = name; (c = strchr(c, '_')) != NULL;)
		*c = '-';
}

/* Writes the processes of the object whose number is not 0, each with the number. */
static void
numbers_write(FILE *out, const struct view *view, const char *label,
    const json_t *numbers, const char *if_none)
{
	char line[LINE_SIZE] = "";
	const char *role;
	json_t *number;

	json_object_foreach((json_t *)numbers, role, number)
	{
		char name[CELL_SIZE], part[LINE_SIZE];

		if (json_integer_value(number) <= 0)
			continue;
		role_format(name, sizeof(name), role);
		snprintf(part, sizeof(part), "%s%s %" JSON_INTEGER_FORMAT,
		    line[0] == '\0' ? "" : ", ", name, json_integer_value(number));
		strlcat(line, part, sizeof(line));
	}
	line_write(out, view, label, line[0] == '\0' ? if_none : line);
}

/* Writes a line for each process that lacks stages of its jail. */
static void
confinement_write(FILE *out, const struct view *view, const json_t *status)
{
	const json_t *confinement = json_object_get(status, "confinement");
	bool is_known = json_object_size(confinement) > 0;
	const char *label = "confinement", *role;
	json_t *confined;

	json_object_foreach((json_t *)confinement, role, confined)
	{
		const json_t *missing = json_object_get(confined, "missing"), *stage;
		char name[CELL_SIZE], line[LINE_SIZE];
		size_t i;

		if (!json_is_array(missing))
			is_known = false;
		if (json_array_size(missing) == 0)
			continue;
		role_format(name, sizeof(name), role);
		snprintf(line, sizeof(line), "%s without", name);
		json_array_foreach(missing, i, stage)
		{
			cell_format(name, sizeof(name), stage);
			strlcat(line, i == 0 ? " " : ", ", sizeof(line));
			strlcat(line, name, sizeof(line));
		}
		line_write(out, view, label, line);
		label = "";
	}
	if (label[0] != '\0')
		line_write(out, view, label, is_known ? "complete" : "-");
}

static void
policy_write(FILE *out, const struct view *view, const json_t *policy)
{
	const char *mode = json_string_value(json_object_get(policy, "mode"));
	char line[LINE_SIZE] = "";

	if (json_is_null(policy)) {
		strlcat(line, "none: all is open", sizeof(line));
	} else if (mode != NULL && strcmp(mode, "audit") == 0) {
		strlcat(line, "audit: nothing is denied", sizeof(line));
	} else {
		append(line, "", policy, "mode", "");
		append(line, ", default ", policy, "default", "");
		append(line, ", ", policy, "rules",
		    count_of(policy, "rules") == 1 ? " rule" : " rules");
		append(line, ", ", policy, "denied", " denied");
	}
	line_write(out, view, "policy", line);
}

void
status_show(FILE *out, const json_t *status, const json_t *version,
    const json_t *forwards, const json_t *policy, time_t now, const struct view *view)
{
	versions_write(out, view, version);
	uptime_write(out, view, status, now);
	network_write(out, view, status);
	if (policy != NULL)
		policy_write(out, view, policy);
	forwards_write(out, view, forwards);
	numbers_write(out, view, "PIDs", json_object_get(status, "pids"), "-");
	confinement_write(out, view, status);
	numbers_write(out, view, "restarts", json_object_get(status, "restarts"), "none");
}
