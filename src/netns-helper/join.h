/* SPDX-License-Identifier: BSD-2-Clause */
/* Joins the guest's namespaces. */
#pragma once

/*
 * Both move the calling thread, the only one of the process, and are fatal on failure,
 * naming `label`, the path that the descriptor (borrowed) came from. setns(2): the user
 * namespace comes first, because only in it are there the capabilities to join the
 * network namespace and to make a TAP.
 */
void netns_join_user(int userns_fd, const char *label);
void netns_join_network(int netns_fd, const char *label);
