# SPDX-License-Identifier: BSD-2-Clause
# A flow with short answers is served before bulk, whoever came first.
set pool 65536
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
host:1 data 100
guest:1 < P. 1:101
guest:1 > . 1 ack 101 win 0
host:0 data 1000000
guest takes 64256
host:1 data 100
guest:0 >> . 1 ack 32001 win 502
guest:1 > . 1 ack 101 win 502
guest:1 < P. 101:201
guest takes 32000
