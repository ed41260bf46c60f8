/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One end of a channel between two processes: a SOCK_SEQPACKET socket pair, on which
 * one datagram is one message with its descriptors (unix(7)). Every role uses it; it
 * never blocks, allocates nothing, and believes nothing that it receives.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/describe.h"

struct ipc_channel {
	int fd;           /* owned, non-blocking; -1 when closed */
	uint32_t accepts; /* set of 1 << enum ipc_arrow */
	enum ipc_role own_role;
	enum ipc_role peer_role;
	bool greeted;       /* the peer's hello has come */
	bool running;       /* messages that need RUNNING are legal */
	uint32_t n_awaited; /* replies asked for and not yet received */
	bool has_reserve;   /* messages in service bring descriptors */
	int reserve_fd;     /* owned; the place of the next one that comes; -1 for none */
	bool is_seen[IPC_MSG_N];
};

/* A message received. Whoever receives it owns fd until it is handed on. */
struct ipc_message {
	enum ipc_message_id id;
	int fd; /* -1 where the row has no descriptor */
	union ipc_payload payload;
};

enum ipc_outcome {
	IPC_OUTCOME_MESSAGE,   /* a legal message is there */
	IPC_OUTCOME_NONE,      /* no more for now */
	IPC_OUTCOME_CLOSED,    /* the peer has closed its end, or died */
	IPC_OUTCOME_VIOLATION, /* the peer broke the protocol: drop the channel */
	IPC_OUTCOME_SHORTAGE,  /* a legal message whose descriptor this process lacks */
};

/*
 * Makes both ends of a new channel, non-blocking and close-on-exec. The caller owns
 * them. Returns 0 or -1 with errno set.
 */
int ipc_channel_pair(int *parent_end_fd, int *child_end_fd);

/* Adopts fd as own_role's end of the channel to peer_role. Sends nothing. */
void ipc_channel_open(struct ipc_channel *channel, int adopt_fd, enum ipc_role own_role,
    enum ipc_role peer_role);

void ipc_channel_close(struct ipc_channel *channel);

/* From now on the peer may send the rows that need RUNNING. If one of these brings a
 * descriptor, the channel keeps another in reserve, which makes room for it. */
void ipc_channel_set_running(struct ipc_channel *channel);

/* One more row with REPLY is legal from now on. */
void ipc_channel_await_reply(struct ipc_channel *channel);

/*
 * Receives one message. On MESSAGE every check of its row has passed: arrow, time,
 * size, descriptors, values; hello also in role and hash. On VIOLATION *why is set to
 * a static text, and msg->id to the row where it is known, IPC_MSG_N otherwise. On
 * SHORTAGE msg is as on MESSAGE, but the kernel has closed its descriptor, because this
 * process can have no more; *why says so. On everything but MESSAGE no descriptor is
 * handed out.
 */
enum ipc_outcome ipc_channel_recv(struct ipc_channel *channel, struct ipc_message *msg,
    const char **why);

/*
 * Sends one message with fd, a borrowed descriptor, or -1. Returns 0, or -1 with errno
 * set: EAGAIN when the peer's queue is full, EPIPE when it is gone, and what
 * fdio_is_shortage() knows. Use the generated functions below.
 */
int ipc_channel_send(struct ipc_channel *channel, enum ipc_message_id id,
    const void *payload, int fd);

/* Whether a send that failed with this errno may succeed later. */
bool ipc_channel_can_retry(int error);

/* ipc_send_<name>(channel, &payload) or, for a row with a descriptor,
 * ipc_send_<name>(channel, &payload, fd): fd is borrowed. */
#define IPC_SEND_0(name) \
	static inline int ipc_send_##name(struct ipc_channel *channel, \
	    const struct ipc_##name *payload) \
	{ \
		return ipc_channel_send(channel, IPC_MSG_##name, payload, -1); \
	}
#define IPC_SEND_1(name) \
	static inline int ipc_send_##name(struct ipc_channel *channel, \
	    const struct ipc_##name *payload, int fd) \
	{ \
		return ipc_channel_send(channel, IPC_MSG_##name, payload, fd); \
	}
#define IPC_SEND_FUNCTION(name, n_fds, when, meaning) IPC_SEND_##n_fds(name)
IPC_ALL_ROWS(IPC_SEND_FUNCTION)
#undef IPC_SEND_FUNCTION

/* Says who this end is; the first thing that each end sends. 0 or -1 with errno. */
int ipc_channel_greet(struct ipc_channel *channel);
