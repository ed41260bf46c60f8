/* All that an api has; one exists, in main.c. */
#pragma once

#include <stdbool.h>

#include "api/jail.h"
#include "ipc/channel.h"

struct api {
	struct ipc_channel to_parent; /* descriptor 3 */
	struct ipc_channel to_worker; /* descriptor 4; its fd is -1 before it came */
	int listen_fd;                /* descriptor 5; -1 before it came */
	struct jail jail;
	bool ended; /* the parent has closed the channel */
};
