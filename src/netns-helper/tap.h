/* SPDX-License-Identifier: BSD-2-Clause */
/* TAP devices. The only user of linux/if_tun.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What comes before each frame, in both directions. */
struct netns_tap_header {
	uint32_t len;      /* bytes */
	bool has_offloads; /* as in ipc_tap_made */
};

/*
 * Opens the TAP of that name in the network namespace that the process is in: attaches
 * to the interface if it exists, creates it otherwise (it goes away with its last
 * descriptor). Offloads are on where the kernel has them, and on a TAP with several
 * queues off: others may read from it, too. *header (filled in) says which. Returns the
 * descriptor, which the caller owns. Fatal on failure, naming step and interface.
 */
int netns_tap_open(const char *name, struct netns_tap_header *header);

/*
 * Looks at a TAP that another process opened: fatal if fd (borrowed) is not one,
 * naming it by the number that the caller knows it by. Switches offloads off, so that
 * every frame is complete in itself.
 */
void netns_tap_inspect(int fd, uint32_t caller_number, struct netns_tap_header *header);
