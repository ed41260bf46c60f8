/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of the other programs, opened at the start: an upgrade under a running daemon can't
 * mix versions, and no path is followed later.
 */
#pragma once

#include "parent/supervise/roles.h"

/*
 * Opens the file of each role that has a program, -1 for the others; the caller owns the
 * descriptors (O_PATH). The files are looked for relative to the running program's own file.
 *
 * Fatal, naming the path, on failure, and unless every program and every directory on the way to
 * it belongs to root, to the caller or to the owner of the running program, and nobody else can
 * write to it: neither a group other than root's, nor whom an access control list may name. A
 * directory that more may write to has to be sticky (inode(7)). A program can't be a symbolic link.
 * In a user namespace that has no name for root, root can't be told from others without a name, and
 * all are taken for root.
 */
void parent_programs_open(int program_fds[IPC_ROLE_END]);
