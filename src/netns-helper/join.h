/* SPDX-License-Identifier: BSD-2-Clause */
/* Joins the guest's namespaces. */
#pragma once

/* Both move the calling thread, the only one of the process. `label` is the path that the
 * descriptor (borrowed) came from. Fatal on failure, naming `label`. Join the user
 * namespace first: it gives the capabilities to join the network namespace and to make a
 * TAP (setns(2)). */
void netns_join_user(int userns_fd, const char *label);
void netns_join_network(int netns_fd, const char *label);
