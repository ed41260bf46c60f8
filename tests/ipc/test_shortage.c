/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message with a descriptor comes to a process that can open no more. That is never the
 * fault of the peer.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "ipc/channel.h"
#include "ipc_samples.h"

/* Enough for a test, and soon used up. */
#define FILES_MAX 64

struct ends {
	struct ipc_channel parent;
	struct ipc_channel worker; /* the receiver */
	struct rlimit before;
	int fds[FILES_MAX]; /* all that could still be opened */
	size_t n_fds;
};

static void
open_ends(struct ends *ends)
{
	int parent_fd, worker_fd;
	struct rlimit files;
	struct ipc_message msg;
	const char *why;

	*ends = (struct ends){ 0 };
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &ends->before), 0);
	files = ends->before;
	files.rlim_cur = FILES_MAX;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(ipc_channel_pair(&parent_fd, &worker_fd), 0);
	ipc_channel_open(&ends->parent, parent_fd, IPC_ROLE_PARENT,
	    IPC_ROLE_SLIRP_WORKER);
	ipc_channel_open(&ends->worker, worker_fd, IPC_ROLE_SLIRP_WORKER,
	    IPC_ROLE_PARENT);
	assert_int_equal(ipc_channel_greet(&ends->parent), 0);
	assert_int_equal(ipc_channel_recv(&ends->worker, &msg, &why),
	    IPC_OUTCOME_MESSAGE);
}

static void
use_up(struct ends *ends)
{
	int fd;

	while ((fd = dup(STDIN_FILENO)) != -1)
		ends->fds[ends->n_fds++] = fd;
	assert_int_equal(errno, EMFILE);
}

static void
close_ends(struct ends *ends)
{
	while (ends->n_fds > 0)
		close(ends->fds[--ends->n_fds]);
	ipc_channel_close(&ends->parent);
	ipc_channel_close(&ends->worker);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &ends->before), 0);
}

/* In service, as the worker gets its channel to each new peer. */
static void
test_reserve_makes_room_in_service(void **state)
{
	struct ends ends;

	(void)state;
	open_ends(&ends);
	ipc_channel_set_running(&ends.worker);
	use_up(&ends);
	for (uint32_t number = 1; number <= 3; number++) {
		const struct ipc_peer sent = {
			.role = IPC_ROLE_API,
			.number = number,
		};
		struct ipc_message msg;
		const char *why = "";

		/* Other messages leave the reserve as it is. */
		assert_int_equal(ipc_send_get_stats(&ends.parent), 0);
		assert_int_equal(ipc_send_peer(&ends.parent, &sent, STDIN_FILENO), 0);
		assert_int_equal(ipc_channel_recv(&ends.worker, &msg, &why),
		    IPC_OUTCOME_MESSAGE);
		assert_int_equal(ipc_channel_recv(&ends.worker, &msg, &why),
		    IPC_OUTCOME_MESSAGE);
		assert_int_equal(msg.payload.peer.number, number);
		assert_int_not_equal(msg.fd, -1);
		close(msg.fd);
		/* What else wants a descriptor is not quicker than the reserve. */
		assert_int_equal(ipc_channel_recv(&ends.worker, &msg, &why),
		    IPC_OUTCOME_NONE);
		assert_int_equal(dup(STDIN_FILENO), -1);
	}
	close_ends(&ends);
}

/* Before service there is no reserve, and no guest. */
static void
test_shortage_is_no_violation(void **state)
{
	struct ipc_start sent;
	struct ipc_message msg;
	const char *why = "";
	struct ends ends;

	(void)state;
	open_ends(&ends);
	ipc_sample_start(&sent);
	use_up(&ends);
	assert_int_equal(ipc_send_start(&ends.parent, &sent, STDIN_FILENO), 0);
	assert_int_equal(ipc_channel_recv(&ends.worker, &msg, &why),
	    IPC_OUTCOME_SHORTAGE);
	assert_int_equal(msg.id, IPC_MSG_start);
	assert_memory_equal(&msg.payload.start, &sent, sizeof(sent));
	assert_int_equal(msg.fd, -1);
	assert_string_equal(why, "no descriptor is left for it");
	close_ends(&ends);
}

/* Descriptors that the row does not have are one, however few can be received. */
static void
test_surplus_is_a_violation_in_a_shortage_too(void **state)
{
	struct {
		uint32_t id, payload_size;
	} wire = { .id = IPC_MSG_get_stats };
	struct iovec part = { .iov_base = &wire, .iov_len = sizeof(wire) };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { { 0 } };
	struct msghdr hdr = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct ipc_message msg;
	const char *why = "";
	struct ends ends;

	(void)state;
	open_ends(&ends);
	use_up(&ends);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int)); /* of descriptor 0 */
	assert_int_equal(sendmsg(ends.parent.fd, &hdr, 0), sizeof(wire));
	assert_int_equal(ipc_channel_recv(&ends.worker, &msg, &why),
	    IPC_OUTCOME_VIOLATION);
	assert_string_equal(why, "wrong number of descriptors");
	close_ends(&ends);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserve_makes_room_in_service),
		cmocka_unit_test(test_shortage_is_no_violation),
		cmocka_unit_test(test_surplus_is_a_violation_in_a_shortage_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
