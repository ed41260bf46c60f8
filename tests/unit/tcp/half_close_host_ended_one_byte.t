# SPDX-License-Identifier: BSD-2-Clause
# The host has ended, with one byte before: the guest goes on as long as writes succeed, then gets a reset.
opened

host data 1
guest < P. 1:2 ack 1
host eof
guest < F. 2:2 ack 1
guest > . 1 ack 3 win 502
state open
guest > P. 1:101 ack 3 win 502
guest < . 3:3 ack 101
host < 100
host breaks EPIPE
guest > P. 101:201 ack 3 win 502
guest < R. 3:3
host resets
state none
