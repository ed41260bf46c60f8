/* SPDX-License-Identifier: BSD-2-Clause */
/* TAP devices. The only user of linux/if_tun.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The header before each frame, in both directions. */
struct netns_tap_header {
	uint32_t len;               /* bytes */
	bool has_offloads, has_uso; /* as in ipc_tap_made */
};

/* Looks at the device, for the message if it cannot be opened. To be called before the
 * jail. */
void netns_tap_look(void);

/*
 * Opens the TAP `name` in the network namespace of the process: attaches to an existing
 * interface, or creates one, which disappears with its last descriptor. Offloads are on
 * if the kernel has them. They are off on a TAP with several queues, because others may
 * read from it. Fills in *header. Returns the descriptor, owned by the caller. Fatal on
 * failure, naming step and interface.
 */
int netns_tap_open(const char *name, struct netns_tap_header *header);

/* Inspects a TAP that another process opened. Fatal if fd (borrowed) is not a TAP, naming
 * the caller's number for it. Switches offloads off, so that every frame is complete. */
void netns_tap_inspect(int fd, uint32_t caller_number, struct netns_tap_header *header);
