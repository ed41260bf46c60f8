/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends and receives messages with descriptors, and checks each one that it receives. */
#include "ipc/channel.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/auto.h"
#include "base/fdio.h"

/* Precedes each payload on the wire. */
struct wire_header {
	uint32_t id;           /* enum ipc_message_id */
	uint32_t payload_size; /* bytes that follow */
};

struct message {
	struct wire_header header;
	union ipc_payload payload;
};

static_assert(offsetof(struct message, payload) == sizeof(struct wire_header),
    "a message is sent as it stands in memory");

/* No row has more. The kernel closes surplus descriptors (unix(7), MSG_CTRUNC), so a peer
 * can't make this process hold more. */
#define N_FDS_MAX 1

/* Space for one descriptor too many, so that two are told from a truncated one. */
#define N_FDS_ROOM (N_FDS_MAX + 1)

int
ipc_channel_pair(int *parent_end_fd, int *child_end_fd)
{
	int fds[2] = { -1, -1 };

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) ==
	    -1)
		return -1;
	/* A filter of the caller can answer instead of the kernel: guix-daemon's returns
	 * success and makes nothing. */
	if (fds[0] == -1) {
		errno = ENOSYS;
		return -1;
	}
	*parent_end_fd = fds[0];
	*child_end_fd = fds[1];
	return 0;
}

static uint64_t
arrows_between(enum ipc_role sender, enum ipc_role receiver)
{
	uint64_t arrows = 0;

#define ADD_ARROW(arrow, senders, receivers, ...) \
	if ((senders) & (1U << sender) && (receivers) & (1U << receiver)) \
		arrows |= UINT64_C(1) << IPC_ARROW_##arrow;
	IPC_ARROWS(ADD_ARROW)
#undef ADD_ARROW
	return arrows;
}

static bool
accepts(const struct ipc_channel *channel, enum ipc_message_id id)
{
	return channel->accepts & (UINT64_C(1) << ipc_arrow_of(id));
}

void
ipc_channel_open(struct ipc_channel *channel, int adopt_fd, enum ipc_role own_role,
    enum ipc_role peer_role)
{
	*channel = (struct ipc_channel){
		.fd = adopt_fd,
		.accepts = arrows_between(peer_role, own_role),
		.own_role = own_role,
		.peer_role = peer_role,
		.reserve_fd = -1,
	};
}

void
ipc_channel_close(struct ipc_channel *channel)
{
	if (channel->fd == -1)
		return;
	close(take_fd(&channel->fd));
	fdio_reserve_release(&channel->reserve_fd);
}

void
ipc_channel_set_running(struct ipc_channel *channel)
{
	channel->running = true;
	for (size_t i = 0; i < IPC_MSG_N; i++)
		if (ipc_descriptions[i].when == IPC_WHEN_RUNNING &&
		    ipc_descriptions[i].n_fds > 0 &&
		    accepts(channel, (enum ipc_message_id)i))
			channel->has_reserve = true;
	if (channel->has_reserve)
		fdio_reserve_take(&channel->reserve_fd);
}

void
ipc_channel_await_reply(struct ipc_channel *channel, enum ipc_message_id id)
{
	channel->n_awaited[id]++;
}

/* Takes all descriptors out of the control data into fds, wanted or not. None stays open
 * unseen. Returns their number. */
static size_t
take_descriptors(struct msghdr *hdr, int fds[N_FDS_ROOM])
{
	size_t n_fds = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(hdr); cmsg;
	     cmsg = CMSG_NXTHDR(hdr, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		/* A message has one header of SCM_RIGHTS at most, and it fits. */
		assert(n_fds + n <= N_FDS_ROOM);
		memcpy(fds + n_fds, CMSG_DATA(cmsg), n * sizeof(int));
		n_fds += n;
	}
	return n_fds;
}

/* Checks all but the payload. Returns NULL or the fault. n_fds: the descriptors that were
 * sent. */
static const char *
check_envelope(const struct ipc_channel *channel, const struct ipc_description *row,
    enum ipc_message_id id, size_t payload_size, size_t n_fds)
{
	if (!accepts(channel, id))
		return "wrong direction";
	if (payload_size != row->payload_size)
		return "wrong size";
	if (n_fds != row->n_fds)
		return "wrong number of descriptors";
	if (!channel->greeted && id != IPC_MSG_hello)
		return "before hello";
	switch (row->when) {
	case IPC_WHEN_ANYTIME:
		break;
	case IPC_WHEN_ONCE:
		if (channel->is_seen[id])
			return "a second time";
		break;
	case IPC_WHEN_RUNNING:
		if (!channel->running)
			return "before service began";
		break;
	case IPC_WHEN_REPLY:
		if (channel->n_awaited[id] == 0)
			return "a reply that nobody awaits";
		break;
	}
	return NULL;
}

static const char *
check_hello(const struct ipc_channel *channel, const struct ipc_hello *hello)
{
	if (hello->protocol_hash != ipc_protocol_hash)
		return "protocol hash differs: the programs are of different builds";
	if (hello->role != channel->peer_role)
		return "hello from the wrong role";
	return NULL;
}

/* The connector can put any of its sockets at the number of a channel (dup3(2)), and its filter sees
 * numbers alone. With MSG_ERRQUEUE an IP socket gives errors only, and never a byte of a peer. A UNIX
 * socket ignores the flag (unix_dgram_recvmsg() in net/unix/af_unix.c). */
static int
receive_flags(const struct ipc_channel *channel)
{
	int flags = MSG_CMSG_CLOEXEC | MSG_DONTWAIT;

	return channel->own_role == IPC_ROLE_CONNECTOR ? flags | MSG_ERRQUEUE : flags;
}

static enum ipc_outcome
receive(struct ipc_channel *channel, struct ipc_message *msg, const char **why)
{
	struct wire_header header = { 0 };
	union {
		char bytes[CMSG_SPACE(N_FDS_ROOM * sizeof(int))];
		struct cmsghdr alignment;
	} control;
	struct iovec parts[] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = &msg->payload, .iov_len = sizeof(msg->payload) },
	};
	struct msghdr hdr = {
		.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	autofd int first_fd = -1;
	autofd int surplus_fd = -1;
	int fds[N_FDS_ROOM] = { -1, -1 };
	ssize_t n;

	msg->id = IPC_MSG_N;
	msg->fd = -1;
	/* If the peer closed its end with unread data in it, the connection is reset. The
	 * kernel reports this once, before the peer's last messages (unix_release_sock()
	 * in net/unix/af_unix.c). Receive again to get them. */
	do
		n = recvmsg(channel->fd, &hdr, receive_flags(channel));
	while (n == -1 && (errno == EINTR || errno == ECONNRESET));
	if (n == -1)
		return errno == EAGAIN || fdio_is_shortage(errno) ? IPC_OUTCOME_NONE
								  : IPC_OUTCOME_CLOSED;
	size_t n_fds = take_descriptors(&hdr, fds);
	/* At least so many were sent. MSG_CTRUNC: the kernel had one more, and found no
	 * space in `control` or no free descriptor in this process (scm_detach_fds() in
	 * net/core/scm.c). */
	size_t n_sent = n_fds + (hdr.msg_flags & MSG_CTRUNC ? 1 : 0);
	first_fd = fds[0];
	surplus_fd = fds[1];
	/* recv(2) returns 0 for an empty datagram and for the end of the stream. A peer
	 * that sends an empty datagram is taken to have ended. */
	if (n == 0)
		return IPC_OUTCOME_CLOSED;
	*why = NULL;
	if (hdr.msg_flags & MSG_TRUNC) {
		*why = "too long";
		return IPC_OUTCOME_VIOLATION;
	}
	if ((size_t)n < sizeof(header) || header.id >= IPC_MSG_N ||
	    header.payload_size != (size_t)n - sizeof(header)) {
		*why = "not a message";
		return IPC_OUTCOME_VIOLATION;
	}
	msg->id = (enum ipc_message_id)header.id;
	const struct ipc_description *row = &ipc_descriptions[msg->id];
	*why = check_envelope(channel, row, msg->id, header.payload_size, n_sent);
	if (!*why && row->validate)
		row->validate(&msg->payload, why);
	if (!*why && msg->id == IPC_MSG_hello)
		*why = check_hello(channel, &msg->payload.hello);
	if (*why)
		return IPC_OUTCOME_VIOLATION;

	channel->is_seen[msg->id] = true;
	if (msg->id == IPC_MSG_hello)
		channel->greeted = true;
	if (row->when == IPC_WHEN_REPLY)
		channel->n_awaited[msg->id]--;
	if (n_fds < n_sent) {
		*why = "no descriptor is left for it";
		return IPC_OUTCOME_SHORTAGE;
	}
	msg->fd = take_fd(&first_fd);
	return IPC_OUTCOME_MESSAGE;
}

enum ipc_outcome
ipc_channel_recv(struct ipc_channel *channel, struct ipc_message *msg, const char **why)
{
	enum ipc_outcome outcome;

	fdio_reserve_release(&channel->reserve_fd);
	outcome = receive(channel, msg, why);
	/* A descriptor that the caller got takes the place of the reserve. The next call
	 * takes the reserve again. */
	if (channel->has_reserve && msg->fd == -1)
		fdio_reserve_take(&channel->reserve_fd);
	return outcome;
}

/* By send(2): a filter sees that it has no address, which sendmsg(2) hides in memory. */
static ssize_t
send_plain(int channel_fd, const struct message *message, size_t len)
{
	return send(channel_fd, message, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t
send_with_descriptor(int channel_fd, struct message *message, size_t len, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { { 0 } };
	struct iovec part = { .iov_base = message, .iov_len = len };
	struct msghdr hdr = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	return sendmsg(channel_fd, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int
ipc_channel_send(struct ipc_channel *channel, enum ipc_message_id id, const void *payload,
    int fd)
{
	const struct ipc_description *row = &ipc_descriptions[id];
	size_t len = sizeof(struct wire_header) + row->payload_size;
	struct message message;
	ssize_t n;

	message.header =
	    (struct wire_header){ .id = id, .payload_size = row->payload_size };
	if (row->payload_size > 0)
		memcpy(&message.payload, payload, row->payload_size);
	do
		n = row->n_fds == 0
		    ? send_plain(channel->fd, &message, len)
		    : send_with_descriptor(channel->fd, &message, len, fd);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

bool
ipc_channel_can_retry(int error)
{
	return error == EAGAIN || fdio_is_shortage(error);
}

int
ipc_channel_greet(struct ipc_channel *channel)
{
	struct ipc_hello hello = {
		.protocol_hash = ipc_protocol_hash,
		.role = channel->own_role,
	};

	return ipc_send_hello(channel, &hello);
}
