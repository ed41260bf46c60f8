/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of the other programs. They are opened at the start: an upgrade cannot mix
 * versions, and no path is followed later. */
#pragma once

#include "parent/supervise/roles.h"

/*
 * Opens the file of each role that has a program; -1 for the others. The caller owns the
 * descriptors (O_PATH). The files are looked up relative to the running program's own
 * file.
 *
 * Fatal on failure, naming the path. Fatal also unless root, the caller or the owner of
 * the running program owns each program and each directory above it, and nobody else can
 * write to it: neither a group other than root's, nor a user in an access control list.
 * Only a sticky directory may be writable for others (inode(7)). A program must not be a
 * symbolic link. If root is not mapped in the user namespace, unmapped users cannot be
 * told apart, and all of them are taken for root.
 */
void parent_programs_open(int program_fds[IPC_ROLE_END]);
