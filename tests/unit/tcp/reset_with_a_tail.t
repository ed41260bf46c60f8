# SPDX-License-Identifier: BSD-2-Clause
# A reset of the guest throws away what waits for the socket.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

host takes 0
guest > P. 1:101 ack 1 win 502
guest < . 1:1 ack 101
guest > R 101
host resets
state none
