/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An api that sends anything to the worker: real dispatch, real libslirp. Each input is datagrams: two bytes of length, then a header and a
 * payload; an odd length sends a descriptor along. Nothing may crash, every answer is one
 * that the api takes, and at the end no descriptor is left.
 */
#include <assert.h>
#include <stdint.h>

#include "datagram.h"
#include "harness.h"
#include "slirp-worker/api_requests.h"
#include "own_netns.h"
#include "worker_box.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* So that the tables of the worker are small. */
#define N_FILES_MAX 128

static struct worker_box box;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	own_netns_enter();
	harness_begin(N_FILES_MAX);
	return 0;
}

/* Takes all that the worker has said: to the api, as the api would, and to the parent. */
static void
take_answers(void)
{
	static char news[1 << 16];
	struct ipc_message msg;
	const char *why;

	/* Every request has at most one answer; a surplus is as good as none. */
	for (int id = 0; id < IPC_MSG_N; id++)
		ipc_channel_await_reply(&box.api, (enum ipc_message_id)id);
	while (recv(box.parent_fd, news, sizeof(news), MSG_DONTWAIT) > 0)
		continue;
	for (;;) {
		switch (ipc_channel_recv(&box.api, &msg, &why)) {
		case IPC_OUTCOME_MESSAGE:
			assert(msg.fd == -1);
			break;
		case IPC_OUTCOME_NONE:
			return;
		case IPC_OUTCOME_CLOSED:
			assert(box.worker.api.channel.fd == -1);
			worker_box_open_api(&box);
			return;
		case IPC_OUTCOME_SHORTAGE:
		case IPC_OUTCOME_VIOLATION:
			assert(!"the worker's answer breaks the protocol");
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	worker_box_open(&box, true);
	worker_box_open_api(&box);
	while (datagram_send(box.api.fd, box.api.fd, &data, &size)) {
		/* However long the last look took. */
		box.worker.api_pause_ends_ms = 0;
		api_requests_receive(&box.worker);
		take_answers();
	}
	worker_box_close(&box);
	harness_check_descriptors();
	return 0;
}
