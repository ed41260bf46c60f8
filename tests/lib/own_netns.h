/* SPDX-License-Identifier: BSD-2-Clause */
/* A network namespace for a test program. */
#pragma once

/* Moves the process into its own user and network namespaces, and brings lo up. A failure
 * is fatal. */
void own_netns_enter(void);
