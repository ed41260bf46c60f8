# SPDX-License-Identifier: BSD-2-Clause
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

host accepted
host:1199 resets
counter tuple_taken 1
