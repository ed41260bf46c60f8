/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes frames of the guest, on a TAP or for a client of a listening socket
 * (bess). Only tapio.c uses the descriptors. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/ratelimit.h"
#include "ipc/messages.h"
#include "slirp-worker/poller.h"

/* The longest frame: an IPv6 packet, whose length does not include its header, with a
 * VLAN tag. An interface's MTU is at most 65535 - 14 (drivers/net/tun.c), but TCP
 * segments that the kernel has not cut may be longer. */
#define TAPIO_FRAME_MAX (14 + 4 + 40 + 65535)

/* Frames that can be in use at a time: as many as the loop reads for each wait. */
#define TAPIO_BUFFERS 16

struct tapio_buffer {
	/* With a header of 10 bytes and Ethernet's 14 bytes, the IP packet is aligned. */
	_Alignas(8) uint8_t bytes[IPC_TAP_HEADER_MAX + TAPIO_FRAME_MAX];
};

struct tapio {
	struct poller *poller; /* borrowed; it waits for these descriptors */
	int fd;                /* owned; -1 if the device is gone, or without a client */
	int listen_fd;  /* owned; clients connect to it, one at a time; -1: a TAP */
	int reserve_fd; /* owned; kept for the next client, if there is no client */
	uint64_t accepts_at_ms;        /* CLOCK_MONOTONIC; no accept(2) before */
	struct ratelimit client_lines; /* limits log lines that clients can cause */
	size_t header_len;             /* bytes that the driver puts before each frame */
	size_t n_kept;                 /* buffers whose frames are still in use */
	struct tapio_buffer buffers[TAPIO_BUFFERS];
};

enum tapio_outcome {
	TAPIO_FRAME,
	TAPIO_NONE, /* no frame to read */
	TAPIO_GONE, /* the device is gone; errno has the reason */
};

/* Adopts the TAP's descriptor, makes it non-blocking and puts it into its place of the
 * poller. Returns 0, or -1 with errno. */
int tapio_init(struct tapio *tap, struct poller *poller, int adopt_fd, size_t header_len);

/* Adopts a non-blocking, listening socket instead; there is no client yet. While a client
 * is connected, others stay in the listen queue. */
int tapio_init_bess(struct tapio *tap, struct poller *poller, int adopt_listen_fd);

/* Before a wait: tells the poller whether to wait for a client. Returns when accept(2) has
 * to be tried again; DEADLINE_NONE: after an event. */
uint64_t tapio_prepare_wait(const struct tapio *tap, uint64_t now_ms);

/* Whether these events at the place of the TAP mean that the device is gone. tapio_read()
 * notices a client that has disconnected. */
bool tapio_is_gone(const struct tapio *tap, uint32_t events);

void tapio_close(struct tapio *tap);

/* Reads one frame. *frame points into tap, may be changed, and is valid until the next
 * call, or until tapio_release() if tapio_keep() is called before. The driver's header is
 * in front of it. The caller keeps fewer than TAPIO_BUFFERS frames when it reads. */
enum tapio_outcome tapio_read(struct tapio *tap, uint8_t **frame, size_t *frame_len);

static inline void
tapio_keep(struct tapio *tap)
{
	tap->n_kept++;
}

static inline void
tapio_release(struct tapio *tap)
{
	tap->n_kept = 0;
}

/* Write one frame: whole, or in parts of which the first begins with the driver's header.
 * Return 0, or -1 with errno set: the frame is lost, as on any link. */
int tapio_write(struct tapio *tap, const uint8_t *frame, size_t frame_len);
int tapio_writev(struct tapio *tap, const struct iovec *parts, int n);
