# SPDX-License-Identifier: BSD-2-Clause
# The host has ended, with 1 MiB before: the guest goes on as long as writes succeed, then gets a reset.
opened

host data 1048576
guest takes 64256
host eof
guest > . 1 ack taken win 502
guest drains 984320 1
guest > . 1 ack 1048578 win 502
state open
guest > P. 1:101 ack 1048578 win 502
guest < . 1048578:1048578 ack 101
host < 100
host breaks EPIPE
guest > P. 101:201 ack 1048578 win 502
guest < R. 1048578:1048578
host resets
state none
