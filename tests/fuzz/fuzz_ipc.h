/* SPDX-License-Identifier: BSD-2-Clause */
/* The first byte of an input of fuzz_ipc: the number of a receiver and its peer, and
 * flags of the receiver's state. */
#pragma once

#define FUZZ_IPC_N_PEERS 23
#define FUZZ_IPC_PEER_MASK 0x1f
#define FUZZ_IPC_GREETED 0x20
#define FUZZ_IPC_RUNNING 0x40
#define FUZZ_IPC_AWAITING 0x80
