#include "api/loop.h"

#include <errno.h>
#include <poll.h>

#include "api/control.h"
#include "base/log.h"

void
api_loop_run(struct api *api)
{
	while (!api->ended) {
		/* Clients are not accepted yet: they wait in the socket's backlog. */
		struct pollfd parent = { .fd = api->to_parent.fd, .events = POLLIN };

		if (poll(&parent, 1, -1) == -1 && errno != EINTR)
			fatal("wait for events");
		api_control_receive(api);
	}
}
