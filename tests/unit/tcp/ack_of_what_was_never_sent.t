# SPDX-License-Identifier: BSD-2-Clause
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

host data 100
guest < P. 1:101 ack 1
guest > . 1 ack 5000 win 502
guest < . 101:101 ack 1
counter bad_ack 1
guest > . 1 ack 101 win 502
state open
