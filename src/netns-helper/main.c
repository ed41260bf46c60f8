/* SPDX-License-Identifier: BSD-2-Clause */
/* slirpd-netns-helper: joins the guest's namespaces, makes the TAP there and, with
 * --configure, its addresses and routes. It hands the TAP's descriptor to the parent and
 * ends, within milliseconds. It reads only the parent's messages and the kernel's
 * answers. The only user of setns(2), /dev/net/tun and rtnetlink(7) for changes. */

#include "base/exitcode.h"
#include "process/child.h"
#include "netns-helper/control.h"

int
main(void)
{
	struct ipc_channel to_parent;

	ipc_child_begin(&to_parent, IPC_ROLE_NETNS_HELPER, "slirpd-netns");
	netns_serve(&to_parent);
	return EXITCODE_OK;
}
