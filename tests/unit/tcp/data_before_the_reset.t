# SPDX-License-Identifier: BSD-2-Clause
# What was read before the reset of the peer is delivered first.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

host data 1
guest < P. 1:2 ack 1
host reset
guest > . 1 ack 2 win 502
guest < R. 2:2 ack 1
host resets
state none
