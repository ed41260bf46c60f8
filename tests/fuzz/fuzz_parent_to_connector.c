/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A parent that sends anything to the connector in service: real dispatch, real sockets of a network
 * namespace. Nothing may crash. A parent that breaks the protocol ends the connector, which is the end
 * of the input. Otherwise what the connector answers keeps the protocol, its table has its order, and at
 * the end no descriptor is left.
 *
 * Input: a byte, of which bit 0 removes each forward when nothing else goes on, and bit 1 lets a
 * policy come; then datagrams: two bytes of length, a header and a payload. An odd length sends a descriptor along: a channel with peer,
 * otherwise a socket that listens.
 */
#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "connector/control.h"
#include "connector/judge.h"
#include "connector/policy.h"
#include "connector_box.h"
#include "datagram.h"
#include "harness.h"
#include "ipc/fdtable.h"
#include "ipc_samples.h"
#include "own_netns.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_FILES_MAX 256

/* Past this an input is only longer, not different. */
#define MESSAGES_MAX 64

/* A range of ports takes a turn for some of them. */
#define TURNS_MAX 4096

static struct connector_box box;
static struct connector *const connector = &box.connector;
static int listen_fd, peer_fd, far_fd;

/* Above the numbers of the channels, which the box takes. */
#define FIRST_OWN_FD 16
static jmp_buf ended;
static bool is_running;

/* The linker replaces fatal() and fatalx() of the connector by these (--wrap). */
_Noreturn void __wrap_fatal(const char *format, ...);
_Noreturn void __wrap_fatalx(const char *format, ...);

_Noreturn void
__wrap_fatal(const char *format, ...)
{
	if (!is_running) {
		fprintf(stderr, "%s\n", format);
		abort();
	}
	is_running = false;
	longjmp(ended, 1);
}

_Noreturn void
__wrap_fatalx(const char *format, ...)
{
	if (!is_running) {
		fprintf(stderr, "%s\n", format);
		abort();
	}
	is_running = false;
	longjmp(ended, 1);
}

static int
move_up(int adopt_fd)
{
	int fd = fcntl(adopt_fd, F_DUPFD_CLOEXEC, FIRST_OWN_FD);

	assert(fd != -1);
	close(adopt_fd);
	return fd;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	own_netns_enter();
	harness_begin(N_FILES_MAX);
	listen_fd =
	    move_up(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	assert(listen(listen_fd, 1) == 0);
	assert(ipc_channel_pair(&peer_fd, &far_fd) == 0);
	peer_fd = move_up(peer_fd);
	far_fd = move_up(far_fd);
	return 0;
}

static void
open_box(bool has_policy)
{
	struct ipc_connector_start start;
	static const enum ipc_message_id seen[] = { IPC_MSG_confine,
		IPC_MSG_fallback_userns, IPC_MSG_connector_start };

	connector_box_open(&box);
	if (has_policy) {
		ipc_sample_connector_start(&start);
		start.has_policy = 1;
		connector_policy_init(connector, &start);
	}
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		connector->to_parent.is_seen[seen[i]] = true;
	ipc_channel_set_running(&connector->to_parent);
	connector->is_ready = true;
}

static void
remove_forward(void)
{
	const struct forward_table *table = connector->forwards.table;

	if (!changes_are_busy(&connector->changes) && !connector->changes.has_publish &&
	    table->n > 0)
		changes_remove(connector, 0, table->entries[0].id);
}

static void
check_table(void)
{
	const struct forward_table *table = connector->forwards.table;

	for (uint32_t i = 1; i < table->n; i++)
		assert(table->entries[i - 1].id < table->entries[i].id);
}

/* Takes all that the parent is told. */
static void
take_answers(void)
{
	struct ipc_message msg;
	const char *why;
	enum ipc_outcome outcome;

	while (
	    (outcome = ipc_channel_recv(&box.parent, &msg, &why)) == IPC_OUTCOME_MESSAGE)
		if (msg.fd != -1)
			close(msg.fd);
	assert(outcome == IPC_OUTCOME_NONE);
}

/* As the loop of the connector. */
static void
go_on(void)
{
	for (int i = 0; i < TURNS_MAX &&
	     (changes_want_a_turn(&connector->changes) || judge_wants_a_turn(connector));
	     i++) {
		changes_proceed(connector);
		judge_proceed(connector);
		take_answers();
	}
}

/* The parent may await these. */
static void
await_replies(void)
{
	ipc_channel_await_reply(&box.parent, IPC_MSG_pong);
	ipc_channel_await_reply(&box.parent, IPC_MSG_published);
	ipc_channel_await_reply(&box.parent, IPC_MSG_policy_committed);
}

static void
run(const uint8_t *data, size_t size, bool removes)
{
	/* An empty datagram ends it. */
	for (int i = 0; i < MESSAGES_MAX && !connector->ended; i++) {
		const struct ipc_message next = datagram_look_ahead(data, size);

		await_replies();
		if (!datagram_send(box.parent.fd,
			next.id == IPC_MSG_peer ? peer_fd : listen_fd, &data, &size))
			break;
		connector_control_receive(connector);
		take_answers();
		go_on();
		if (removes) {
			remove_forward();
			go_on();
		}
		check_table();
	}
}

static bool was_open[N_FILES_MAX];

static void
note_descriptors(void)
{
	for (int fd = 0; fd < N_FILES_MAX; fd++)
		was_open[fd] = fcntl(fd, F_GETFD) != -1;
}

/* As the kernel does when the connector exits; but for the numbers of the channels. */
static void
close_others(void)
{
	for (int fd = IPC_CHILD_FD_RESOLVER + 1; fd < N_FILES_MAX; fd++)
		if (!was_open[fd])
			close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	note_descriptors();
	open_box(data[0] & 2);
	if (setjmp(ended) == 0) {
		is_running = true;
		run(data + 1, size - 1, data[0] & 1);
		is_running = false;
		connector_box_close(&box);
	} else {
		connector_box_close(&box);
		close_others();
	}
	harness_check_descriptors();
	return 0;
}
