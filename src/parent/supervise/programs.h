/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of the other programs. They are opened at the start: an upgrade cannot mix
 * versions, and no path is followed later. */
#pragma once

#include "parent/roles.h"

/*
 * Opens the file of each role that has a program; -1 for the others. The caller owns the
 * descriptors (O_PATH). The paths are relative to the running program's own file.
 *
 * Each program and each directory above it must belong to root, the caller or the owner
 * of the running program. Nobody else may write to it: neither a group other than root's
 * or the caller's own, nor a user in an access control list. Only a sticky directory may
 * be writable for others (inode(7)). A program must not be a symbolic link. If root is
 * not mapped in the user namespace, all unmapped users are taken for root. Fatal on
 * failure, naming the path.
 */
void parent_programs_open(int program_fds[IPC_ROLE_END]);
