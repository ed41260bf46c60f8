/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slirpd-netns-helper: makes the TAP in the guest's namespaces.
 *
 * It joins the namespaces, makes the TAP there and, with --configure, its addresses and
 * routes. It hands the TAP's descriptor to the parent and ends, within milliseconds. It
 * reads only the parent's messages and the kernel's answers. It is the only user of
 * setns(2) for the guest's network and of /dev/net/tun.
 */

#include "base/exitcode.h"
#include "netns-helper/control.h"
#include "process/child.h"

int
main(void)
{
	struct ipc_channel to_parent;

	child_begin(&to_parent, IPC_ROLE_NETNS_HELPER, "slirpd-netns");
	netns_serve(&to_parent);
	return EXITCODE_OK;
}
