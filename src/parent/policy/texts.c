/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens the files of --policy, and sends the texts of the command line to the policy-reader. */
#include "parent/policy/texts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/text.h"
#include "model/policy/policy.h"

/* Does not wait for the writer of a FIFO. */
static int
open_file(const char *path)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1 || fcntl(fd, F_SETFL, 0) == -1)
		return -1;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return -1;
	}
	return take_fd(&fd);
}

void
policy_texts_open(struct policy_texts *texts, const struct options *options)
{
	char shown[IPC_POLICY_SOURCE_SIZE];
	int status = log_set_fatal_status(options_usage_status(options));

	*texts = (struct policy_texts){ .options = options };
	for (size_t i = 0; i < options->n_policy; i++) {
		const char *value = options->policy[i];

		texts->fds[i] = -1;
		if (strchr(value, '/') != NULL) {
			texts->fds[i] = open_file(value);
			if (texts->fds[i] == -1)
				fatal_path("--policy", value, "open it");
			continue;
		}
		text_escape(shown, sizeof(shown), value, strlen(value));
		if (policy_profile_find(value) == NULL)
			fatalx("--policy=%s: no profile of this name; a file is given "
			       "with a slash: ./%s",
			    shown, shown);
	}
	log_set_fatal_status(status);
}

/* source_name: up to the first "=" an option, else the name of a profile. */
static int
send_inline(struct ipc_channel *channel, uint32_t source, uint32_t line,
    const char *source_name, const char *text)
{
	struct ipc_policy_inline msg = { .source = source, .line = line };

	snprintf(msg.name, sizeof(msg.name), "%s", source_name);
	snprintf(msg.text, sizeof(msg.text), "%s", text);
	return ipc_send_policy_inline(channel, &msg);
}

static int
send_outs(const struct policy_texts *texts, struct ipc_channel *channel, bool is_deny)
{
	const struct options *options = texts->options;
	uint32_t source = is_deny ? IPC_POLICY_FROM_DENY_OUT : IPC_POLICY_FROM_ALLOW_OUT;
	uint32_t line = 0;

	for (size_t i = 0; i < options->n_out; i++) {
		if (options->out[i].is_deny == is_deny &&
		    send_inline(channel, source, ++line,
			is_deny ? "--deny-out" : "--allow-out",
			options->out[i].text) == -1)
			return -1;
	}
	return 0;
}

/* --deny-out alone leaves all else open. */
static int
send_default(const struct policy_texts *texts, struct ipc_channel *channel)
{
	const struct options *options = texts->options;

	for (size_t i = 0; i < options->n_out; i++) {
		if (!options->out[i].is_deny)
			return 0;
	}
	if (options->n_policy > 0)
		return 0;
	return send_inline(channel, IPC_POLICY_FROM_FILE, 1, "open",
	    policy_profile_find("open"));
}

static int
send_policy(struct policy_texts *texts, struct ipc_channel *channel, size_t i)
{
	const char *value = texts->options->policy[i];
	struct ipc_policy_file msg = { .source = IPC_POLICY_FROM_FILE + (uint32_t)i };
	autofd int fd = take_fd(&texts->fds[i]);

	if (fd == -1)
		return send_inline(channel, msg.source, 1, value,
		    policy_profile_find(value));
	policy_source_name(msg.name, value);
	return ipc_send_policy_file(channel, &msg, fd);
}

int
policy_texts_send(struct policy_texts *texts, struct ipc_channel *channel)
{
	const struct options *options = texts->options;
	const struct ipc_policy_read read = {
		.is_audit = options->policy_audit,
		.enable_dns = options->enable_dns,
		.is_check = options->check_policy,
	};

	if (send_outs(texts, channel, true) == -1 ||
	    send_outs(texts, channel, false) == -1 || send_default(texts, channel) == -1)
		return -1;
	for (size_t i = 0; i < options->n_policy; i++) {
		if (send_policy(texts, channel, i) == -1)
			return -1;
	}
	return ipc_send_policy_read(channel, &read);
}
