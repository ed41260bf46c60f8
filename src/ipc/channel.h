/* SPDX-License-Identifier: BSD-2-Clause */
/* One end of a channel between two processes: a SOCK_SEQPACKET socket pair. A datagram is
 * one message with its descriptors (unix(7)). Every role uses it. It never blocks,
 * allocates nothing, and checks everything that it receives. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/describe.h"

struct ipc_channel {
	int fd;           /* owned, non-blocking; -1 when closed */
	uint64_t accepts; /* set of 1 << enum ipc_arrow */
	enum ipc_role own_role;
	enum ipc_role peer_role;
	bool greeted;     /* the peer's hello was received */
	bool running;     /* messages that need RUNNING are legal */
	bool has_reserve; /* messages in service bring descriptors */
	int reserve_fd;   /* owned; keeps a place for the next one; -1: none */
	bool is_seen[IPC_MSG_N];
	uint32_t n_awaited[IPC_MSG_N]; /* replies that were asked for and have not come */
};

/* A received message. The receiver owns fd. */
struct ipc_message {
	enum ipc_message_id id;
	int fd; /* -1 if the row has no descriptor */
	union ipc_payload payload;
};

enum ipc_outcome {
	IPC_OUTCOME_MESSAGE,   /* a legal message */
	IPC_OUTCOME_NONE,      /* no message now */
	IPC_OUTCOME_CLOSED,    /* the peer has closed its end or ended */
	IPC_OUTCOME_VIOLATION, /* the peer broke the protocol: drop the channel */
	IPC_OUTCOME_SHORTAGE,  /* a legal message whose descriptor the kernel dropped */
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

/* Lets the peer send rows that need RUNNING. If one of them brings a descriptor, the
 * channel keeps a descriptor in reserve, so that there is a place for it. */
void ipc_channel_set_running(struct ipc_channel *channel);

/* Makes one more message of this row, which is one with REPLY, legal. No other row is: a handler
 * counts on what it has asked for. */
void ipc_channel_await_reply(struct ipc_channel *channel, enum ipc_message_id id);

/*
 * Receives one message. MESSAGE: all checks of its row have passed: arrow, time, size,
 * descriptors, values; for hello also role and hash. VIOLATION: *why is a static text,
 * and msg->id is the row, or IPC_MSG_N if it is not known. SHORTAGE: msg is as for
 * MESSAGE, but the kernel has closed its descriptor, because this process can have no
 * more; *why says so. Only MESSAGE hands out a descriptor.
 */
enum ipc_outcome ipc_channel_recv(struct ipc_channel *channel, struct ipc_message *msg,
    const char **why);

/* Sends one message with fd, a borrowed descriptor or -1. payload may be NULL if the row
 * has none. Returns 0, or -1 with errno set: EAGAIN if the peer's queue is full, EPIPE if
 * the peer has ended, or an error of fdio_is_shortage(). Use the generated functions
 * below. */
int ipc_channel_send(struct ipc_channel *channel, enum ipc_message_id id,
    const void *payload, int fd);

/* Whether a send that failed with this errno may succeed later. */
bool ipc_channel_can_retry(int error);

/* ipc_send_<name>(channel, &payload, fd), without the parts that the row does not carry.
 * fd is borrowed. */
#define IPC_SEND_NOTHING(name) \
	static inline int ipc_send_##name(struct ipc_channel *channel) \
	{ \
		return ipc_channel_send(channel, IPC_MSG_##name, NULL, -1); \
	}
#define IPC_SEND_FD(name) \
	static inline int ipc_send_##name(struct ipc_channel *channel, int fd) \
	{ \
		return ipc_channel_send(channel, IPC_MSG_##name, NULL, fd); \
	}
#define IPC_SEND_PAYLOAD(name) \
	static inline int ipc_send_##name(struct ipc_channel *channel, \
	    const struct ipc_##name *payload) \
	{ \
		return ipc_channel_send(channel, IPC_MSG_##name, payload, -1); \
	}
#define IPC_SEND_PAYLOAD_FD(name) \
	static inline int ipc_send_##name(struct ipc_channel *channel, \
	    const struct ipc_##name *payload, int fd) \
	{ \
		return ipc_channel_send(channel, IPC_MSG_##name, payload, fd); \
	}
#define IPC_SEND_FUNCTION(name, carries, when, meaning) IPC_SEND_##carries(name)
IPC_ALL_ROWS(IPC_SEND_FUNCTION)
#undef IPC_SEND_FUNCTION

/* Sends hello, the first message of each end. Returns 0, or -1 with errno set. */
int ipc_channel_greet(struct ipc_channel *channel);
