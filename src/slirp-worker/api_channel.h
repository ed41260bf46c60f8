/*
 * The api's requests. The api has read what clients wrote, so it is not trusted: a
 * message that is not as it should be costs it the channel, and the packets go on. The
 * channel is always descriptor IPC_CHILD_FD_PEER, which the system call filter goes by;
 * without an api that is /dev/null, as the worker is born with it.
 */
#pragma once

#include <stdbool.h>

#include "slirp-worker/worker.h"

/* Takes the channel to a new api, in the place of one before. The number is the parent's
 * name for it. */
void api_channel_open(struct worker *worker, int adopt_fd, uint64_t api_number);

/* Tells the parent that the channel to the api of this number did not come, and why. */
void api_channel_miss(struct worker *worker, uint64_t api_number, const char *why);

/* The descriptor to wait for, or -1 while nothing is to be received. */
int api_channel_poll_fd(const struct worker *worker);

/* Receives and answers some of what the api has sent. */
void api_channel_receive(struct worker *worker);

/* For the result of an ipc_send_...() to the api: an api that takes no answers, or is
 * gone, loses the channel. */
void api_channel_check_sent(struct worker *worker, int result);
