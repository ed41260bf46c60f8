# SPDX-License-Identifier: BSD-2-Clause
# Each flow with a gap has a record of its own.
opened
guest:1 > S 0 mss 1460 ws 7 sackok 1
host:1 open
host:1 opened
host:1 connected
guest:1 < S. 0:0 ack 1
guest:1 > . 1 ack 1 win 502

guest:0 > . 101:201 ack 1
guest:0 < . 1:1 ack 1 sack 101-201
guest:1 > . 301:401 ack 1
guest:1 < . 1:1 ack 1 sack 301-401
guest:0 > . 1:101 ack 1
guest:0 < . 1:1 ack 201 no sack
host:0 < 200
guest:1 > . 1:301 ack 1
guest:1 < . 1:1 ack 401 no sack
host:1 < 400
