/* TAP devices. The only user of linux/if_tun.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Opens the TAP of that name in the network namespace that the process is in: attaches
 * to the interface if it exists, creates it otherwise (it goes away with its last
 * descriptor). Frames come and go bare, without any header of the driver. Returns the
 * descriptor, which the caller owns. Fatal on failure, naming step and interface.
 */
int netns_tap_open(const char *name);

/*
 * Looks at a TAP that another process opened: fatal if fd (borrowed) is not one,
 * naming it by the number that the caller knows it by.
 * Switches offloads off, so that every frame is complete in itself. Returns how many
 * bytes of header the driver puts before each frame.
 */
uint32_t netns_tap_inspect(int fd, uint32_t caller_number);
