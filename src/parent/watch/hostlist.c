/* SPDX-License-Identifier: BSD-2-Clause */
/* Follows the addresses of the host's interfaces. */
#include "parent/watch/hostlist.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "base/log.h"
#include "parent/watch/hostaddr.h"

/* Hosts with containers make and remove interfaces all day, and each look lists all addresses.
 * So look at most twice a second. An address is new to the policy for no longer. */
#define LOOK_INTERVAL_MS 500

void
parent_hostlist_init(struct hostlist *list)
{
	*list = (struct hostlist){ .events_fd = -1, .query_fd = -1, .is_told = true };
}

void
parent_hostlist_open(struct hostlist *list)
{
	int n;

	/* Open the socket for events first: then no change is missed. */
	list->events_fd = parent_hostaddr_open(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
	list->query_fd = parent_hostaddr_open(0);
	if (list->events_fd == -1 || list->query_fd == -1)
		fatal("ask the kernel for the host's addresses (rtnetlink)");
	n = parent_hostaddr_list(list->query_fd, list->addrs, POLICY_HOST_ADDRS_MAX);
	if (n == -1)
		fatal("ask the kernel for the host's addresses");
	if (n > POLICY_HOST_ADDRS_MAX)
		fatalx("the host has %d addresses, and a policy knows only %d of them: "
		       "start slirpd in a network namespace with fewer",
		    n, POLICY_HOST_ADDRS_MAX);
	list->n = (uint32_t)n;
	list->is_told = false;
}

uint64_t
parent_hostlist_due_ms(const struct hostlist *list)
{
	return list->look_due || !list->is_told ? list->next_look_ms : DEADLINE_NONE;
}

/* Later on the host may have more than fit. The others are then not of class host. */
static void
note_cut(struct hostlist *list, int n)
{
	if (n > POLICY_HOST_ADDRS_MAX && !list->is_cut)
		log_warning("policy: the host has %d addresses now, of which class host "
			    "has %d: the guest may reach the others",
		    n, POLICY_HOST_ADDRS_MAX);
	list->is_cut = n > POLICY_HOST_ADDRS_MAX;
}

static void
look(struct hostlist *list)
{
	static struct inaddr addrs[POLICY_HOST_ADDRS_MAX];
	int n = parent_hostaddr_list(list->query_fd, addrs, POLICY_HOST_ADDRS_MAX);
	uint32_t n_kept;

	/* The list of before stays, and the kernel is asked again. */
	if (n == -1) {
		list->look_due = true;
		return;
	}
	note_cut(list, n);
	n_kept = n > POLICY_HOST_ADDRS_MAX ? POLICY_HOST_ADDRS_MAX : (uint32_t)n;
	if (n_kept == list->n &&
	    memcmp(addrs, list->addrs, n_kept * sizeof(addrs[0])) == 0)
		return;
	memcpy(list->addrs, addrs, n_kept * sizeof(addrs[0]));
	list->n = n_kept;
	list->is_told = false;
}

bool
parent_hostlist_handle(struct hostlist *list, bool fd_ready, uint64_t now_ms)
{
	if (fd_ready) {
		parent_hostaddr_drop_events(list->events_fd);
		list->look_due = true;
	}
	if (now_ms < parent_hostlist_due_ms(list))
		return false;
	list->next_look_ms = now_ms + LOOK_INTERVAL_MS;
	if (list->look_due) {
		list->look_due = false;
		look(list);
	}
	return !list->is_told;
}
