# SPDX-License-Identifier: BSD-2-Clause
# A full table takes no other flow: the guest tries again, and a forward's peer is reset.
set flows 8
flood 0 7
counter flows_full 0
flood 8 9
counter flows_full 2
host:10 accepted
host:10 resets
counter flows_full 3
# The others go on, and one that ends makes room.
host:3 opened
host:3 connected
guest:3 < S. 0:0 ack 1
guest:2 > R 1
flood 8 8
counter flows_full 3
