/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slirpd-api: reads the requests of clients on the control socket. It holds that socket,
 * its clients, and channels to the parent, the worker and the connector. It has no network and no
 * file. The text of clients ends here: the other processes get typed messages. Only user
 * of jansson.
 */

#include "api/control.h"
#include "api/loop.h"
#include "api/request/request.h"
#include "base/exitcode.h"
#include "process/child.h"

int
main(void)
{
	struct api api = {
		.listen_fd = -1,
		.jail.fallback_userns_fd = -1,
	};

	child_begin(&api.to_parent, IPC_ROLE_API, "slirpd-api");
	api_request_init();
	api_loop_init(&api);
	if (api_control_begin(&api))
		api_loop_run(&api);
	return EXITCODE_OK;
}
