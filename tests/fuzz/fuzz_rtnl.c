/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's answers on the routing socket, as bytes. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "netns-helper/rtnl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int error = -1;

	/* A small number, so that a fuzzer hits the right one at once. */
	if (rtnl_parse_reply(data, size, 1, &error) == RTNL_REPLY_ACK)
		assert(error >= 0);
	return 0;
}
