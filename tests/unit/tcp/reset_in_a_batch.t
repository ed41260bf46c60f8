# SPDX-License-Identifier: BSD-2-Clause
# A flow that ends in a batch takes only its own data with it.
guest:0 > S 0 mss 1460 ws 7 sackok 1
host:0 open
host:0 opened
host:0 connected
guest:0 < S. 0:0 ack 1
guest:0 > . 1 ack 1 win 502
guest:1 > S 0 mss 1460 ws 7 sackok 1
host:1 open
host:1 opened
host:1 connected
guest:1 < S. 0:0 ack 1
guest:1 > . 1 ack 1 win 502
guest:0 >> . 1:101 ack 1 win 502
guest:1 >> . 1:101 ack 1 win 502
guest:1 > R 101
host:1 resets
guest:0 < . 1:1 ack 101
host:0 < 100
