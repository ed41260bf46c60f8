/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parent/supervise: timeouts of the parent, at times that the test sets. The spawner is
 * real. The api is this program under the api's name, which never gets ready.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "parent/supervise/children.h"
#include "parent/supervise/policy.h"
#include "parent/supervise/service.h"
#include "parent/supervise/signals.h"
#include "parent/supervise/start.h"
#include "parent/supervise/supervise.h"
#include "parent/supervise/watchdog.h"

/* Far longer than a process takes to start or to end on a loaded machine. */
#define DEADLINE_MS 20000

static const struct options options = {
	.program_name = "slirpd",
	.restart = true,
	.sandbox_mode = IPC_JAIL_OFF,
	.seccomp_mode = IPC_JAIL_OFF,
	.runas_uid = 65534, /* for real root, which may run this test */
	.runas_gid = 65534,
	.ready_fd = -1,
	.exit_fd = -1,
};

static struct supervisor sv;
static struct service *const api = &sv.services[IPC_ROLE_API];
static char lines[4096];

static void
keep_line(enum log_level level, const char *text)
{
	size_t len = strlen(lines);

	(void)level;
	snprintf(lines + len, sizeof(lines) - len, "%s\n", text);
}

/* Serves spawner and signals until condition() is true. */
static void
serve_until(bool (*condition)(void))
{
	uint64_t deadline_ms = clock_now_ms() + DEADLINE_MS;

	while (!condition()) {
		struct pollfd set[] = {
			{ .fd = sv.signal_fd, .events = POLLIN },
			{ .fd = sv.services[IPC_ROLE_SPAWNER].child.channel.fd,
			    .events = POLLIN },
		};

		assert_true(clock_now_ms() < deadline_ms);
		poll(set, 2, DEADLINE_MS);
		if (set[1].revents)
			service_receive(&sv, supervisor_child(&sv, IPC_ROLE_SPAWNER));
		if (set[0].revents && signals_take(&sv))
			service_reap(&sv);
	}
}

static bool
has_api(void)
{
	return sv.services[IPC_ROLE_API].child.pid != 0;
}

static bool
has_no_api(void)
{
	return !has_api();
}

static bool
has_no_spawner(void)
{
	return sv.services[IPC_ROLE_SPAWNER].child.pid == 0;
}

static int
begin(void **state)
{
	int program_fds[IPC_ROLE_END] = { 0 }, fds[2];

	(void)state;
	lines[0] = '\0';
	supervise_init(&sv, &options);
	program_fds[IPC_ROLE_API] = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (program_fds[IPC_ROLE_API] == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	close(fds[1]);
	sv.api_listen_fd = fds[0];
	sv.fallback_userns_fd = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	service_fork(&sv, IPC_ROLE_SPAWNER, program_fds);
	service_begin(&sv, IPC_ROLE_API);
	close(program_fds[IPC_ROLE_API]);
	/* An api has the limits of service. */
	sv.phase = SUPERVISE_RUNNING;
	return 0;
}

static int
end(void **state)
{
	(void)state;
	supervise_end(&sv, 0);
	service_end_all(&sv);
	free(sv.forwards);
	close(sv.signal_fd);
	return 0;
}

static void
test_start_has_a_limit(void **state)
{
	uint64_t before_ms = clock_now_ms();

	(void)state;
	supervise_init(&sv, &options);
	assert_in_range(sv.deadline_ms - before_ms, START_TIMEOUT_MS,
	    START_TIMEOUT_MS + DEADLINE_MS);
	start_handle(&sv, sv.deadline_ms - 1);
	assert_int_equal(sv.phase, SUPERVISE_STARTING);
	start_handle(&sv, sv.deadline_ms);
	assert_int_equal(sv.phase, SUPERVISE_ENDED);
	assert_int_equal(sv.status, 1);
	assert_string_equal(lines, "not ready after 30 s; ending\n");
}

static bool
has_no_mover(void)
{
	return supervisor_child(&sv, IPC_ROLE_CGROUP_MOVER)->pid == 0;
}

static void
test_start_goes_on_without_the_mover(void **state)
{
	const int program_fds[IPC_ROLE_END] = { 0 };

	(void)state;
	serve_until(has_api);
	sv.phase = SUPERVISE_STARTING;
	sv.cgroup.root_fd = open("/", O_PATH | O_CLOEXEC);
	service_fork(&sv, IPC_ROLE_CGROUP_MOVER, program_fds);
	close(sv.cgroup.root_fd);
	assert_false(has_no_mover());
	kill(supervisor_child(&sv, IPC_ROLE_CGROUP_MOVER)->pid, SIGKILL);
	serve_until(has_no_mover);
	assert_int_equal(sv.phase, SUPERVISE_STARTING);
	assert_non_null(strstr(lines, "cgroup-mover was killed by SIGKILL"));
}

static void
test_api_that_does_not_get_ready_is_ended(void **state)
{
	const uint64_t due_ms = api->ready_by_ms;

	(void)state;
	serve_until(has_api);
	assert_int_equal(due_ms - api->started_at_ms, 10000);
	assert_int_equal(service_due_ms(&sv), due_ms);
	service_handle(&sv, due_ms - 1);
	assert_string_equal(lines, "");
	service_handle(&sv, due_ms);
	assert_non_null(strstr(lines, "hangs: no api is ready after 10 s; ending it\n"));
	serve_until(has_no_api);
	assert_non_null(strstr(lines, "api was killed by SIGKILL"));
	assert_int_not_equal(api->start_at_ms, DEADLINE_NONE);
}

static void
test_api_that_does_not_answer_is_ended(void **state)
{
	uint64_t now_ms = clock_now_ms();

	(void)state;
	serve_until(has_api);
	/* Before it is ready, its start has a limit. */
	watchdog_handle(&sv, now_ms);
	assert_int_equal(api->child.n_unanswered, 0);
	service_set_ready(&sv, IPC_ROLE_API);
	for (uint32_t i = 1; i <= 4; i++) {
		now_ms += 5000;
		watchdog_handle(&sv, now_ms - 1);
		assert_int_equal(api->child.n_unanswered, i - 1);
		watchdog_handle(&sv, now_ms);
		assert_int_equal(api->child.n_unanswered, i);
		assert_int_equal(watchdog_due_ms(&sv), now_ms + 5000);
	}
	assert_string_equal(lines, "");
	/* An answer to any of them is enough. The parent may have been stopped for an hour:
	 * that is one ping, too. */
	now_ms += 3600 * 1000;
	api->child.n_unanswered = 0;
	for (uint32_t i = 1; i <= 4; i++)
		watchdog_handle(&sv, now_ms += 5000);
	assert_string_equal(lines, "");
	watchdog_handle(&sv, now_ms += 5000);
	assert_non_null(
	    strstr(lines, "hangs: it has not answered for 20 s; ending it\n"));
	serve_until(has_no_api);
	assert_int_equal(api->child.n_unanswered, 0);
}

static bool
is_told_of_spawner(void)
{
	return strstr(lines, "spawner was killed by SIGKILL") != NULL;
}

static void
test_spawner_that_owes_an_api_is_ended(void **state)
{
	uint64_t due_ms;

	(void)state;
	serve_until(has_api);
	kill(sv.services[IPC_ROLE_SPAWNER].child.pid, SIGSTOP);
	kill(sv.services[IPC_ROLE_API].child.pid, SIGKILL);
	serve_until(has_no_api);
	service_handle(&sv, api->start_at_ms);
	due_ms = api->ready_by_ms;
	assert_int_equal(due_ms - api->started_at_ms, 10000);
	service_handle(&sv, due_ms);
	serve_until(is_told_of_spawner);
	assert_true(has_no_spawner());
	/* There will be no other api, so clients do not wait for it. */
	assert_int_equal(sv.api_listen_fd, -1);
	assert_int_equal(service_due_ms(&sv), DEADLINE_NONE);
}

/* A process under the name of a service that is ready. It reads nothing, and its channel stays open. */
static void
begin_mute(enum ipc_role role)
{
	struct child *child = supervisor_child(&sv, role);
	int parent_fd, child_fd;

	assert_int_equal(ipc_channel_pair(&parent_fd, &child_fd), 0);
	child->role = &roles[role];
	child->pid = fork();
	assert_int_not_equal(child->pid, -1);
	if (child->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	close(child_fd);
	ipc_channel_open(&child->channel, parent_fd, IPC_ROLE_PARENT, role);
	service_set_ready(&sv, role);
}

/* Ends a process of begin_mute(). Returns whether it was killed before. */
static bool
end_mute(enum ipc_role role)
{
	struct child *child = supervisor_child(&sv, role);
	bool was_killed = child->is_killed;
	int status;

	children_kill(child);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	child->pid = 0;
	return was_killed;
}

/* Both answer pings. Only one of them follows the policy. */
static void
check_who_hangs(enum ipc_role hanging, enum ipc_role sound)
{
	static struct policy rows;
	uint64_t before_ms = clock_now_ms(), now_ms;

	policy_init(&rows);
	sv.policy.rows = &rows;
	sv.policy.generation = 1;
	begin_mute(hanging);
	begin_mute(sound);
	policy_begin_feed(&sv, hanging);
	policy_begin_feed(&sv, sound);
	*(sound == IPC_ROLE_CONNECTOR ? &sv.policy.is_in_force : &sv.policy.is_known) =
	    true;
	assert_in_range(sv.policy.follow_by_ms - before_ms, 10000, 10000 + DEADLINE_MS);
	/* The parent looks with each ping: the last time before the end, and then after it. */
	for (now_ms = sv.policy.follow_by_ms - 9999; now_ms < sv.policy.follow_by_ms;
	     now_ms += 5000) {
		watchdog_handle(&sv, now_ms);
		assert_string_equal(lines, "");
	}
	watchdog_handle(&sv, now_ms);
	assert_non_null(strstr(lines,
	    "hangs: it does not follow the policy after 10 s; ending it\n"));
	assert_int_equal(strncmp(lines, roles[hanging].name, strlen(roles[hanging].name)),
	    0);
	assert_false(end_mute(sound));
	assert_true(end_mute(hanging));
	assert_ptr_equal(strchr(lines, '\n') + 1, lines + strlen(lines));
}

static void
test_connector_that_does_not_follow_the_policy_is_ended(void **state)
{
	(void)state;
	serve_until(has_api);
	check_who_hangs(IPC_ROLE_CONNECTOR, IPC_ROLE_RESOLVER);
}

static void
test_resolver_that_does_not_follow_the_policy_is_ended(void **state)
{
	(void)state;
	serve_until(has_api);
	check_who_hangs(IPC_ROLE_RESOLVER, IPC_ROLE_CONNECTOR);
}

/* Lets the api end, and starts the next api wait_ms after its end was noticed. */
static void
die_and_start(uint32_t wait_ms)
{
	uint64_t before_ms;

	serve_until(has_api);
	before_ms = clock_now_ms();
	kill(sv.services[IPC_ROLE_API].child.pid, SIGKILL);
	serve_until(has_no_api);
	assert_in_range(api->start_at_ms, before_ms + wait_ms, clock_now_ms() + wait_ms);
	service_handle(&sv, api->start_at_ms - 1);
	assert_int_equal(api->ready_by_ms, DEADLINE_NONE);
	/* The start reads the clock itself, which is too early. */
	api->start_at_ms = clock_now_ms();
	service_handle(&sv, api->start_at_ms);
	assert_int_not_equal(api->ready_by_ms, DEADLINE_NONE);
}

static void
test_waits_between_apis_double_up_to_half_a_minute(void **state)
{
	static const uint32_t waits_ms[] = { 0, 100, 200, 400, 800, 1600, 3200, 6400,
		12800, 25600, 30000, 30000 };

	(void)state;
	for (size_t i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++)
		die_and_start(waits_ms[i]);
	/* After a minute of service the next api starts at once, and the delays begin
	 * again. */
	serve_until(has_api);
	api->started_at_ms -= 60000;
	die_and_start(0);
	die_and_start(100);
}

static int command_status;

static void
note_command(struct supervisor *unused, int wait_status)
{
	(void)unused;
	command_status = wait_status;
}

static const struct supervise_task command_task = { .on_command_end = note_command };

static bool
has_no_command(void)
{
	return sv.command_pid == 0;
}

/* A command that ends at once. */
static void
begin_command(int status)
{
	command_status = -1;
	sv.task = &command_task;
	sv.command_pid = fork();
	assert_int_not_equal(sv.command_pid, -1);
	if (sv.command_pid == 0)
		_exit(status);
}

static void
test_end_of_the_command_is_told(void **state)
{
	(void)state;
	serve_until(has_api);
	begin_command(7);
	serve_until(has_no_command);
	assert_true(WIFEXITED(command_status) && WEXITSTATUS(command_status) == 7);
	assert_true(has_api());
	assert_string_equal(lines, "");
}

/* While only the spawner knows the PID of the next api, no unknown process is waited for. */
static void
test_end_of_the_command_is_told_while_an_api_is_owed(void **state)
{
	const struct child *spawner = supervisor_child(&sv, IPC_ROLE_SPAWNER);

	(void)state;
	serve_until(has_api);
	kill(spawner->pid, SIGSTOP);
	kill(sv.services[IPC_ROLE_API].child.pid, SIGKILL);
	serve_until(has_no_api);
	service_handle(&sv, api->start_at_ms);
	assert_true(spawner->channel.n_awaited[IPC_MSG_spawned] > 0);
	begin_command(8);
	serve_until(has_no_command);
	assert_true(WIFEXITED(command_status) && WEXITSTATUS(command_status) == 8);
	kill(spawner->pid, SIGCONT);
	serve_until(has_api);
}

/* The parent would kill the command in the place of an api. */
static void
test_spawner_cannot_pass_the_command_off_as_an_api(void **state)
{
	struct ipc_spawned spawned = { 0 };

	(void)state;
	serve_until(has_api);
	sv.task = &command_task;
	sv.command_pid = fork();
	assert_int_not_equal(sv.command_pid, -1);
	if (sv.command_pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	api->is_owed = true;
	spawned.role = IPC_ROLE_API;
	spawned.pid = (uint32_t)sv.command_pid;
	parent_on_spawned(&sv, &spawned);
	serve_until(has_no_spawner);
	assert_non_null(strstr(lines, "is no child that it could have started"));
	kill(sv.command_pid, SIGKILL);
	serve_until(has_no_command);
	assert_true(WIFSIGNALED(command_status) && WTERMSIG(command_status) == SIGKILL);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_start_has_a_limit, end),
		cmocka_unit_test_setup_teardown(test_start_goes_on_without_the_mover,
		    begin, end),
		cmocka_unit_test_setup_teardown(test_api_that_does_not_get_ready_is_ended,
		    begin, end),
		cmocka_unit_test_setup_teardown(test_api_that_does_not_answer_is_ended,
		    begin, end),
		cmocka_unit_test_setup_teardown(
		    test_connector_that_does_not_follow_the_policy_is_ended, begin, end),
		cmocka_unit_test_setup_teardown(
		    test_resolver_that_does_not_follow_the_policy_is_ended, begin, end),
		cmocka_unit_test_setup_teardown(test_spawner_that_owes_an_api_is_ended,
		    begin, end),
		cmocka_unit_test_setup_teardown(
		    test_waits_between_apis_double_up_to_half_a_minute, begin, end),
		cmocka_unit_test_setup_teardown(test_end_of_the_command_is_told, begin,
		    end),
		cmocka_unit_test_setup_teardown(
		    test_end_of_the_command_is_told_while_an_api_is_owed, begin, end),
		cmocka_unit_test_setup_teardown(
		    test_spawner_cannot_pass_the_command_off_as_an_api, begin, end),
	};

	if (argc == 1 && strcmp(argv[0], roles[IPC_ROLE_API].program) == 0) {
		for (;;)
			pause();
	}
	signals_prepare();
	log_set_emit(keep_line);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
