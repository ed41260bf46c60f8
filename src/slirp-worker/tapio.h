/* Frames from and to the TAP. Only user of the TAP's descriptor. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

/* The kernel's largest frame: TAP interfaces have an MTU of at most 65535 - 14
 * (drivers/net/tun.c), and a VLAN tag may come on top. */
#define TAPIO_FRAME_MAX (65535 + 4)

struct tapio {
	int fd;            /* owned; -1 once the device is gone */
	size_t header_len; /* bytes that the driver puts before each frame */
	uint8_t buffer[IPC_TAP_HEADER_MAX + TAPIO_FRAME_MAX];
};

enum tapio_outcome {
	TAPIO_FRAME,
	TAPIO_NONE, /* nothing to read for now */
	TAPIO_GONE, /* the device is gone for good; errno tells how */
};

/* Adopts the TAP's descriptor and makes it non-blocking. Returns 0, or -1 with errno. */
int tapio_init(struct tapio *tap, int adopt_fd, size_t header_len);
void tapio_close(struct tapio *tap);

/* Reads one frame. *frame points into tap and is good, and may be changed, until the
 * next call. */
enum tapio_outcome tapio_read(struct tapio *tap, uint8_t **frame, size_t *frame_len);

/* Writes one frame. Returns 0, or -1 with errno: the frame is lost, as on any wire. */
int tapio_write(struct tapio *tap, const uint8_t *frame, size_t frame_len);
