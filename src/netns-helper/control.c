/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles the parent's requests to the netns-helper. */
#include "netns-helper/control.h"

#include "base/log.h"
#include "ipc/dispatch.h"
#include "netns-helper/configure.h"
#include "netns-helper/jail.h"
#include "netns-helper/join.h"
#include "netns-helper/tap.h"
#include "process/child.h"

struct helper {
	struct ipc_channel *to_parent;
	struct ipc_confine orders;
	bool done; /* the TAP has been handed over */
};

#define DECLARE(...) IPC_DECLARE_HANDLER(netns, struct helper, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(netns, &helper, &msg, __VA_ARGS__)
IPC_ROWS_PARENT_TO_CHILD(DECLARE)
IPC_ROWS_PARENT_TO_NETNS_HELPER(DECLARE)

static void
hand_over(struct helper *helper, int tap_fd, const struct netns_tap_header *header)
{
	struct ipc_tap_made made = {
		.header_len = header->len,
		.has_offloads = header->has_offloads,
		.has_uso = header->has_uso,
	};

	if (header->len > IPC_TAP_HEADER_MAX)
		fatalx("the TAP has a header of %u bytes before each frame", header->len);
	child_check_sent(ipc_send_tap_made(helper->to_parent, &made, tap_fd),
	    "hand over the TAP");
	helper->done = true;
}

void
netns_on_confine(struct helper *helper, const struct ipc_confine *msg)
{
	helper->orders = *msg;
}

/* Call this after the joins, and before the first look at anything of the guest. */
static void
confine(struct helper *helper)
{
	struct ipc_confined reached = { 0 };

	jail_lock(&helper->orders, &reached);
	child_check_sent(ipc_send_confined(helper->to_parent, &reached),
	    "report the jail to the parent");
}

void
netns_on_join_userns(struct helper *helper, const struct ipc_join_userns *msg,
    int adopt_fd)
{
	autofd int userns_fd = adopt_fd;

	netns_join_user(userns_fd, msg->label);
	child_die_with_parent(helper->to_parent);
}

void
netns_on_make_tap(struct helper *helper, const struct ipc_make_tap *msg, int adopt_fd)
{
	autofd int netns_fd = adopt_fd;
	autofd int tap_fd = -1;
	struct netns_tap_header header;

	netns_join_network(netns_fd, msg->netns_label);
	netns_tap_look();
	confine(helper);
	tap_fd = netns_tap_open(msg->tap_name, &header);
	if (msg->configure)
		netns_configure(msg);
	hand_over(helper, tap_fd, &header);
}

void
netns_on_inspect_tap(struct helper *helper, const struct ipc_inspect_tap *msg,
    int adopt_fd)
{
	autofd int tap_fd = adopt_fd;
	struct netns_tap_header header;

	confine(helper);
	netns_tap_inspect(tap_fd, msg->caller_number, &header);
	hand_over(helper, tap_fd, &header);
}

void
netns_serve(struct ipc_channel *to_parent)
{
	struct helper helper = { .to_parent = to_parent };
	struct ipc_message msg;

	while (!helper.done && child_wait(to_parent, &msg)) {
		switch (msg.id) {
			IPC_ROWS_PARENT_TO_CHILD(CALL)
			IPC_ROWS_PARENT_TO_NETNS_HELPER(CALL)
		default:
			break;
		}
	}
}
