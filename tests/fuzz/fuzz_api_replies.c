/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker that sends anything to the api, whose clients wait for all kinds of answers. Each
 * input is datagrams: two bytes of length, then a header and a payload. Nothing may crash,
 * every client gets one reply that is JSON, or waits still.
 */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "api/loop.h"
#include "api_fixture.h"
#include "datagram.h"
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ADD \
	"{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"tcp\"," \
	"\"host_port\":8080,\"guest_port\":80}}"

static const char *const requests[] = {
	ADD,
	"{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":1}}",
	"{\"execute\":\"list_hostfwd\"}",
	"{\"execute\":\"query_connections\"}",
	"{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"subscribe\"}\n" ADD "\n",
};
#define N_CLIENTS (sizeof(requests) / sizeof(requests[0]))

static void
check_json(const char *text, size_t len)
{
	json_error_t why;
	json_t *root;

	while (len > 0) {
		root = json_loadb(text, len,
		    JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &why);
		assert(root);
		json_decref(root);
		text += why.position;
		len -= (size_t)why.position;
		if (len > 0 && *text == '\n') {
			text++;
			len--;
		}
	}
}

/* The peer that sends the datagram: the one whose row it is, or the worker. */
static int
sender_of(const struct api_fixture *fixture, const uint8_t *data, size_t size)
{
	uint32_t id = IPC_MSG_N;

	/* Its length of two bytes, and then its number. */
	if (size >= 2 + sizeof(id))
		memcpy(&id, data + 2, sizeof(id));
	return id < IPC_MSG_N &&
		ipc_arrow_of((enum ipc_message_id)id) == IPC_ARROW_CONNECTOR_TO_API
	    ? fixture->connector.fd
	    : fixture->worker.fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char reply[1 << 16];
	struct api_fixture fixture;
	int fds[N_CLIENTS];

	harness_silence();
	api_request_init();
	api_fixture_start(&fixture);
	for (size_t i = 0; i < N_CLIENTS; i++) {
		fds[i] = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fds[i], requests[i]);
	}
	while (datagram_send(sender_of(&fixture, data, size), -1, &data, &size)) {
		api_loop_once(&fixture.api, 0);
	}
	api_fixture_run(&fixture);
	for (size_t i = 0; i < N_CLIENTS; i++) {
		bool at_eof;

		check_json(reply,
		    api_fixture_read(fds[i], reply, sizeof(reply), &at_eof));
		close(fds[i]);
	}
	api_fixture_stop(&fixture);
	return 0;
}
