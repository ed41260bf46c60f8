/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The api's core in this process; the test has the other end of each descriptor: the
 * parent's, the worker's and the clients'. All messages go through the real loop and
 * sockets.
 */
#pragma once

#include "api/api.h"
#include "ipc/channel.h"

struct api_fixture {
	struct api api;
	struct ipc_channel parent; /* the other ends */
	struct ipc_channel worker, connector;
	int to_worker_fd, to_connector_fd; /* the descriptors of the api's ends */
};

/* Aborts if the system refuses a call. The channels are greeted. */
void api_fixture_start(struct api_fixture *fixture);
void api_fixture_stop(struct api_fixture *fixture);

/* Runs the loop until nothing happens; ignores timeouts. */
void api_fixture_run(struct api_fixture *fixture);

/* A new client, non-blocking; the caller closes it. */
int api_fixture_connect(struct api_fixture *fixture);

/* Sends text as a client and runs. */
void api_fixture_send(struct api_fixture *fixture, int client_fd, const char *text);

/* Reads all data, and adds a NUL; *at_eof says whether the api has closed or shut down
 * its side. buf holds size bytes. Returns the length. */
size_t api_fixture_read(int client_fd, char *buf, size_t size, bool *at_eof);
