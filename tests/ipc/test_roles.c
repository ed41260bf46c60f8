/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real child programs, started as the parent starts them, and spoken to wrongly.
 * Arguments: the paths of the programs, in the order of enum ipc_role.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "ipc/fdtable.h"
#include "ipc_samples.h"
#include "parent/cgroup/mover.h"
#include "parent/policy/reader.h"
#include "parent/supervise/spawn.h"
#include "parent/supervise/spawner.h"

/* Longer than any loaded machine takes; a test that hangs ends here. */
#define DEADLINE_MS 20000

static int program_fds[IPC_ROLE_END];

static void
start(struct child *child, enum ipc_role role)
{
	*child = (struct child){ 0 };
	if (role == IPC_ROLE_SPAWNER)
		assert_int_equal(parent_spawn(child, &roles[role], -1, spawner_run), 0);
	else if (role == IPC_ROLE_CGROUP_MOVER)
		assert_int_equal(parent_spawn(child, &roles[role], STDIN_FILENO,
				     cgroup_mover_run),
		    0);
	else if (role == IPC_ROLE_POLICY_READER)
		assert_int_equal(parent_spawn(child, &roles[role], -1, policy_reader_run),
		    0);
	else
		assert_int_equal(parent_spawn(child, &roles[role], program_fds[role],
				     NULL),
		    0);
}

static enum ipc_outcome
receive(struct child *child, struct ipc_message *msg, const char **why)
{
	struct pollfd channel = { .fd = child->channel.fd, .events = POLLIN };

	assert_int_equal(poll(&channel, 1, DEADLINE_MS), 1);
	return ipc_channel_recv(&child->channel, msg, why);
}

static void
expect(struct child *child, enum ipc_message_id id, struct ipc_message *msg)
{
	const char *why = "";

	assert_int_equal(receive(child, msg, &why), IPC_OUTCOME_MESSAGE);
	assert_int_equal(msg->id, id);
}

static int
wait_for_exit(struct child *child)
{
	int wait_status;

	/* The test's own time limit bounds this. */
	assert_int_equal(waitpid(child->pid, &wait_status, 0), child->pid);
	ipc_channel_close(&child->channel);
	return wait_status;
}

/* The child says why in its last words, and fails. */
static void
expect_fatal(struct child *child, const char *text)
{
	struct ipc_message msg;
	const char *why = "";
	int wait_status;

	for (;;) {
		assert_int_equal(receive(child, &msg, &why), IPC_OUTCOME_MESSAGE);
		if (msg.id == IPC_MSG_log)
			break;
	}
	assert_int_equal(msg.payload.log.level, 0);
	if (!strstr(msg.payload.log.text, text))
		fail_msg("expected \"%s\" in \"%s\"", text, msg.payload.log.text);
	wait_status = wait_for_exit(child);
	assert_true(WIFEXITED(wait_status));
	assert_int_equal(WEXITSTATUS(wait_status), 1);
}

static void
test_greets_first(void **state)
{
	(void)state;
	for (int role = IPC_ROLE_CHILDREN; role < IPC_ROLE_END; role++) {
		struct ipc_message msg;
		struct child child;

		start(&child, (enum ipc_role)role);
		expect(&child, IPC_MSG_hello, &msg);
		ipc_channel_close(&child.channel);
		wait_for_exit(&child);
	}
}

static void
test_ends_in_order_with_the_channel(void **state)
{
	(void)state;
	for (int role = IPC_ROLE_CHILDREN; role < IPC_ROLE_END; role++) {
		struct ipc_message msg;
		struct child child;

		start(&child, (enum ipc_role)role);
		expect(&child, IPC_MSG_hello, &msg);
		ipc_channel_close(&child.channel);
		assert_int_equal(wait_for_exit(&child), 0);
	}
}

static void
test_worker_introduces_its_library(void **state)
{
	struct ipc_message msg;
	struct child child;

	(void)state;
	start(&child, IPC_ROLE_SLIRP_WORKER);
	expect(&child, IPC_MSG_hello, &msg);
	expect(&child, IPC_MSG_about, &msg);
	assert_int_equal(msg.payload.about.libslirp_version[0], '4');
	assert_in_range(msg.payload.about.config_version_max, 4, 99);
	ipc_channel_close(&child.channel);
	wait_for_exit(&child);
}

/* Descriptors as in ipc/fdtable.h, whatever the parent had open; no environment. */
static void
test_descriptors_and_environment_are_exact(void **state)
{
	int stray_fds[20];

	(void)state;
	for (size_t i = 0; i < sizeof(stray_fds) / sizeof(stray_fds[0]); i++)
		stray_fds[i] = dup(STDIN_FILENO);
	for (int role = IPC_ROLE_CHILDREN; role < IPC_ROLE_END; role++) {
		/* The mover has one descriptor behind its table. */
		int last = roles[role].n_fds - (role == IPC_ROLE_CGROUP_MOVER ? 0 : 1);
		char path[64];
		struct ipc_message msg;
		struct child child;
		struct dirent *entry;
		char environment;
		int n_fds = 0;
		DIR *fds;
		FILE *file;

		start(&child, (enum ipc_role)role);
		expect(&child, IPC_MSG_hello, &msg);
		snprintf(path, sizeof(path), "/proc/%d/fd", child.pid);
		fds = opendir(path);
		assert_non_null(fds);
		while ((entry = readdir(fds))) {
			if (entry->d_name[0] == '.')
				continue;
			assert_in_range(atoi(entry->d_name), 0, last);
			n_fds++;
		}
		closedir(fds);
		assert_int_equal(n_fds, last + 1);
		snprintf(path, sizeof(path), "/proc/%d/environ", child.pid);
		if (!roles[role].program) { /* it is this program, with this one's */
			ipc_channel_close(&child.channel);
			wait_for_exit(&child);
			continue;
		}
		file = fopen(path, "r");
		assert_non_null(file);
		assert_int_equal(fread(&environment, 1, 1, file), 0);
		fclose(file);
		ipc_channel_close(&child.channel);
		wait_for_exit(&child);
	}
	for (size_t i = 0; i < sizeof(stray_fds) / sizeof(stray_fds[0]); i++)
		close(stray_fds[i]);
}

static void
test_garbage_from_the_parent_is_fatal(void **state)
{
	(void)state;
	for (int role = IPC_ROLE_CHILDREN; role < IPC_ROLE_END; role++) {
		struct child child;

		start(&child, (enum ipc_role)role);
		assert_int_equal(send(child.channel.fd, "garbage!garbage!", 16, 0), 16);
		expect_fatal(&child, "not a message");
	}
}

static void
test_message_for_another_role_is_fatal(void **state)
{
	struct ipc_make_tap make_tap;
	struct ipc_start begin;
	struct child child;

	(void)state;
	ipc_sample_make_tap(&make_tap);
	start(&child, IPC_ROLE_SLIRP_WORKER);
	assert_int_equal(ipc_send_make_tap(&child.channel, &make_tap, STDIN_FILENO), 0);
	expect_fatal(&child, "wrong direction");

	ipc_sample_start(&begin);
	start(&child, IPC_ROLE_NETNS_HELPER);
	assert_int_equal(ipc_send_start(&child.channel, &begin, STDIN_FILENO), 0);
	expect_fatal(&child, "wrong direction");
}

static void
test_request_before_start_is_fatal(void **state)
{
	struct child child;

	(void)state;
	start(&child, IPC_ROLE_SLIRP_WORKER);
	assert_int_equal(ipc_send_get_stats(&child.channel), 0);
	expect_fatal(&child, "before service");
}

static void
test_helper_names_the_step_that_fails(void **state)
{
	struct ipc_join_userns join;
	struct ipc_make_tap make_tap;
	struct ipc_inspect_tap inspect;
	struct child child;

	(void)state;
	ipc_sample_join_userns(&join);
	start(&child, IPC_ROLE_NETNS_HELPER);
	assert_int_equal(ipc_send_join_userns(&child.channel, &join,
			     program_fds[IPC_ROLE_API]),
	    0);
	expect_fatal(&child, "join user namespace /proc/1/ns/user: ");

	ipc_sample_make_tap(&make_tap);
	start(&child, IPC_ROLE_NETNS_HELPER);
	assert_int_equal(ipc_send_make_tap(&child.channel, &make_tap,
			     program_fds[IPC_ROLE_API]),
	    0);
	expect_fatal(&child, "join network namespace /proc/1/ns/net: ");

	ipc_sample_inspect_tap(&inspect);
	start(&child, IPC_ROLE_NETNS_HELPER);
	assert_int_equal(ipc_send_inspect_tap(&child.channel, &inspect,
			     program_fds[IPC_ROLE_API]),
	    0);
	expect_fatal(&child, "inspect inherited TAP descriptor 0: ");
}

/* What the parent of test_dies_with_its_parent started. */
struct family {
	pid_t child;
	/* Holds the other end of the child's channel, so that the end of the channel is
	 * not what ends the child. */
	pid_t holder;
};

/* A parent in a process of its own: starts the role, tells, and waits to be killed. */
static _Noreturn void
be_parent(enum ipc_role role, int report_fd)
{
	struct family family;
	struct ipc_message msg;
	const char *why;
	struct child child;

	start(&child, role);
	receive(&child, &msg, &why);
	family.child = child.pid;
	family.holder = fork();
	if (family.holder == 0) {
		poll(NULL, 0, DEADLINE_MS);
		_exit(0);
	}
	if (write(report_fd, &family, sizeof(family)) != sizeof(family))
		_exit(1);
	for (;;)
		pause();
}

static bool
is_running(pid_t pid)
{
	char path[64], state = 'Z';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(file);
	return state != 'Z' && state != 'X';
}

static void
test_dies_with_its_parent(void **state)
{
	(void)state;
	for (int role = IPC_ROLE_CHILDREN; role < IPC_ROLE_END; role++) {
		struct family family;
		int report[2];
		pid_t parent_pid;
		int waited_ms = 0;

		assert_int_equal(pipe(report), 0);
		parent_pid = fork();
		if (parent_pid == 0)
			be_parent((enum ipc_role)role, report[1]);
		close(report[1]);
		assert_int_equal(read(report[0], &family, sizeof(family)),
		    sizeof(family));
		close(report[0]);
		assert_true(is_running(family.child));
		assert_int_equal(kill(parent_pid, SIGKILL), 0);
		assert_int_equal(waitpid(parent_pid, NULL, 0), parent_pid);
		while (is_running(family.child) && waited_ms < DEADLINE_MS)
			waited_ms += 10 + poll(NULL, 0, 10);
		kill(family.holder, SIGKILL);
		assert_true(waited_ms < DEADLINE_MS);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greets_first),
		cmocka_unit_test(test_ends_in_order_with_the_channel),
		cmocka_unit_test(test_worker_introduces_its_library),
		cmocka_unit_test(test_descriptors_and_environment_are_exact),
		cmocka_unit_test(test_garbage_from_the_parent_is_fatal),
		cmocka_unit_test(test_message_for_another_role_is_fatal),
		cmocka_unit_test(test_request_before_start_is_fatal),
		cmocka_unit_test(test_helper_names_the_step_that_fails),
		cmocka_unit_test(test_dies_with_its_parent),
	};

	if (argc != 6) {
		fprintf(stderr, "usage: %s HELPER WORKER CONNECTOR RESOLVER API\n",
		    argv[0]);
		return 1;
	}
	for (int role = IPC_ROLE_CHILDREN; role < IPC_ROLE_END; role++) {
		if (!roles[role].program)
			continue;
		program_fds[role] = open(*++argv, O_PATH | O_CLOEXEC);
		if (program_fds[role] == -1) {
			perror(*argv);
			return 1;
		}
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
