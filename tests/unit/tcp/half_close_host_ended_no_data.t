# SPDX-License-Identifier: BSD-2-Clause
# The host has ended, without data before: the guest goes on as long as writes succeed, then gets a reset.
opened

host eof
guest < F. 1:1 ack 1
guest > . 1 ack 2 win 502
state open
guest > P. 1:101 ack 2 win 502
guest < . 2:2 ack 101
host < 100
host breaks EPIPE
guest > P. 101:201 ack 2 win 502
guest < R. 2:2
host resets
state none
