/* SPDX-License-Identifier: BSD-2-Clause */
/* An input of datagrams: two bytes of length, most significant first, before each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "ipc/channel.h"

/* Past this a datagram is only longer, not different. */
#define DATAGRAM_MAX 4096

/* The message that the next datagram is, if it is one; its fd is -1. */
static inline struct ipc_message
datagram_look_ahead(const uint8_t *data, size_t size)
{
	struct ipc_message msg = { .id = IPC_MSG_N, .fd = -1 };
	uint32_t id;

	if (size < 2 + 2 * sizeof(id))
		return msg;
	memcpy(&id, data + 2, sizeof(id));
	if (id >= IPC_MSG_N)
		return msg;
	msg.id = (enum ipc_message_id)id;
	size -= 2 + 2 * sizeof(id);
	memcpy(&msg.payload, data + 2 + 2 * sizeof(id),
	    size < sizeof(msg.payload) ? size : sizeof(msg.payload));
	return msg;
}

/* Sends the next datagram of the input, without a wait, and moves *data and *size behind it.
 * A datagram of odd length has attached_fd with it, unless that is -1. Returns false at the
 * end of the input. */
static inline bool
datagram_send(int fd, int attached_fd, const uint8_t **data, size_t *size)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { { 0 } };
	struct iovec part;
	struct msghdr hdr = { .msg_iov = &part, .msg_iovlen = 1 };
	bool is_odd;

	if (*size <= 2)
		return false;
	is_odd = (*data)[1] & 1;
	part.iov_len = ((size_t)(*data)[0] << 8 | (*data)[1]) % DATAGRAM_MAX;
	part.iov_base = (void *)(uintptr_t)(*data + 2);
	if (part.iov_len > *size - 2)
		part.iov_len = *size - 2;
	*data += 2 + part.iov_len;
	*size -= 2 + part.iov_len;
	if (is_odd && attached_fd != -1) {
		hdr.msg_control = control.bytes;
		hdr.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &attached_fd, sizeof(int));
	}
	(void)sendmsg(fd, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL);
	return true;
}
