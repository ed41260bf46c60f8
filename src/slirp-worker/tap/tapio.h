/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames from and to the guest: a TAP, or a client of a socket of our own (bess). Only
 * user of their descriptors. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ratelimit.h"
#include "ipc/messages.h"
#include "slirp-worker/pollset.h"

/* The longest frame: of an IPv6 packet, whose length does not count its header, with a
 * VLAN tag. An interface's MTU is at most 65535 - 14 (drivers/net/tun.c), but TCP
 * segments that the kernel has not cut may be longer. */
#define TAPIO_FRAME_MAX (14 + 4 + 40 + 65535)

struct tapio {
	int fd;         /* owned; -1 once the device is gone, or without a client */
	int listen_fd;  /* owned: where clients connect, one after the other; -1: a TAP */
	int reserve_fd; /* owned: the place of the next client, while none is there */
	uint64_t accepts_at_ms;        /* CLOCK_MONOTONIC: not before */
	struct ratelimit client_lines; /* log lines that clients can cause */
	size_t header_len;             /* bytes that the driver puts before each frame */
	/* With a header of 10 bytes, and Ethernet's of 14, the packet is aligned. */
	_Alignas(8) uint8_t buffer[IPC_TAP_HEADER_MAX + TAPIO_FRAME_MAX];
};

enum tapio_outcome {
	TAPIO_FRAME,
	TAPIO_NONE, /* nothing to read for now */
	TAPIO_GONE, /* the device is gone for good; errno tells how */
};

/* Adopts the TAP's descriptor and makes it non-blocking. Returns 0, or -1 with errno. */
int tapio_init(struct tapio *tap, int adopt_fd, size_t header_len);

/* Adopts a listening socket instead, non-blocking already: no client is there yet. Others
 * that connect while one is there wait in its backlog. */
void tapio_init_bess(struct tapio *tap, int adopt_listen_fd);

/* Adds to the set what tapio_read() waits for, as one entry, and shortens the timeout if
 * that has to wait itself. */
void tapio_prepare_wait(const struct tapio *tap, struct pollset *set,
    uint32_t *timeout_ms, uint64_t now_ms);

/* Whether these events of poll(2) say that the device is gone. A client that is gone is
 * noticed by tapio_read(). */
bool tapio_is_gone(const struct tapio *tap, short events);

void tapio_close(struct tapio *tap);

/* Reads one frame. *frame points into tap and is good, and may be changed, until the
 * next call; the driver's header is in tap->buffer. */
enum tapio_outcome tapio_read(struct tapio *tap, uint8_t **frame, size_t *frame_len);

/* Writes one frame as it is, or one in two parts whose first begins with the driver's
 * header. Both return 0, or -1 with errno: the frame is lost, as on any wire. */
int tapio_write(struct tapio *tap, const uint8_t *frame, size_t frame_len);
int tapio_write_parts(struct tapio *tap, const uint8_t *head, size_t head_len,
    const uint8_t *rest, size_t rest_len);
