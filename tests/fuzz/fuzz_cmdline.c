/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: the input is argv, each argument ended by a NUL. Whoever starts the
 * daemon chooses all of it, and may start it with more privilege than he has himself.
 */

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parent/cmdline/banner.h"
#include "parent/cmdline/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More arguments than there are options, so that each can follow each. */
#define N_ARGS_MAX 64

static void
check_message(const char *text)
{
	size_t len = strnlen(text, OPTIONS_MESSAGE_SIZE);

	assert(len > 0 && len < OPTIONS_MESSAGE_SIZE);
	for (size_t i = 0; i < len; i++)
		assert(text[i] >= ' ' && text[i] < 0x7f);
}

static void
check_run(const struct options *options)
{
	const struct cidr *network = &options->network;
	const struct ipc_outbound outbound = { .has_addr = { 1, 1 } };
	char text[BANNER_SIZE];

	assert((options->target == OPTIONS_TARGET_PID) ==
	    (options->target_pid > 0 || options->is_run));
	assert(options->is_run == (options->command != NULL));
	assert(!options->is_run ||
	    (options->target == OPTIONS_TARGET_PID && options->target_pid == -1 &&
		options->configure && options->command[0] != NULL &&
		options->userns_path == NULL && !options->create_netns));
	assert(options->is_run || !options->keep_id);
	assert((options->target == OPTIONS_TARGET_PATH) == (options->netns_path != NULL));
	assert((options->target == OPTIONS_TARGET_TAPFD) == (options->tap_fd >= 0));
	assert((options->target == OPTIONS_TARGET_BESS) == (options->bess_path != NULL));
	assert(
	    (options->target == OPTIONS_TARGET_TAPFD ||
		options->target == OPTIONS_TARGET_BESS) == (options->tap_name == NULL));
	assert(options->tap_name == NULL || options_ifname_is_valid(options->tap_name));
	assert(options->mtu_bytes >= 1 && options->mtu_bytes <= 65521);
	assert(options->exit_fd >= -1 && options->ready_fd >= -1);
	assert(options->exit_fd == -1 || options->exit_fd != options->ready_fd);
	assert(network->prefix_len >= 1 && network->prefix_len <= 25);
	assert((network->network_be & ~options->addresses.netmask_be) == 0);
	assert(
	    !options->has_mac || (options->configure && !(options->mac.octets[0] & 1)));
	assert(options->target != OPTIONS_TARGET_TAPFD || !options->configure);
	/* unix(7): room for 108 bytes with the NUL. */
	assert(options->api_socket_path == NULL ||
	    (options->api_socket_path[0] != '\0' &&
		strlen(options->api_socket_path) < 108));
	assert((options->sandbox_mode == IPC_JAIL_OFF) == !options->use_sandbox);
	assert((options->seccomp_mode == IPC_JAIL_OFF) == !options->use_seccomp);
	assert(options->use_sandbox || !options->require_sandbox);
	assert(options->use_seccomp || !options->require_seccomp);
	assert(options->runas_uid != 0 && options->runas_gid != 0);
	assert(!options->print_confinement);
	assert(options->pidfile_path == NULL || options->pidfile_path[0] != '\0');
	assert(options->log_file_path == NULL || options->log_file_path[0] != '\0');
	assert(options->log_level >= LOG_LEVEL_ERROR &&
	    options->log_level <= LOG_LEVEL_DEBUG);
	assert(banner_start_format(text, sizeof(text), options, &outbound) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct options options;
	static struct options_messages messages;
	char *argv[N_ARGS_MAX + 1];
	char *text = malloc(size + 1);
	enum options_outcome outcome;
	int argc = 0;

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t at = 0; at < size && argc < N_ARGS_MAX; at += strlen(text + at) + 1)
		argv[argc++] = text + at;
	argv[argc] = NULL;

	memset(&options, 0xa5, sizeof(options));
	memset(&messages, 0xa5, sizeof(messages));
	outcome = options_parse(&options, &messages, argc, argv);

	assert(
	    options.program_name[0] != '\0' && strchr(options.program_name, '/') == NULL);
	assert(messages.n_warnings <= OPTIONS_N_WARNINGS_MAX);
	for (size_t i = 0; i < messages.n_warnings; i++)
		check_message(messages.warnings[i]);
	if (outcome == OPTIONS_ERROR)
		check_message(messages.error);
	else
		assert(messages.error[0] == '\0');
	if (outcome == OPTIONS_START)
		check_run(&options);
	free(text);
	return 0;
}
