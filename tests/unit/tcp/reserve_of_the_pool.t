# SPDX-License-Identifier: BSD-2-Clause
# Bulk has used up all but the reserve of the pool. A flow with nothing here goes on all the same, with a
# chunk of 4 KiB at a time.
set pool 512
opened

repeat 7
opened:*
host:* takes 0
guest:* >> . 1:40001 ack 1
guest:* > P. 40001:65536 ack 1
guest:* < . 1:1 ack 65536
again
host data 100
guest < P. 1:101 ack 1
host data 100
counter starved 1
guest > . 1 ack 101 win 502
guest < P. 101:201 ack 1
guest > P. 1:11 ack 201 win 502
guest < . 201:201 ack 11
host < 10
host data 10000
guest < P. 201:4297 ack 11
guest > . 11 ack 4297 win 502
guest < P. 4297:8393 ack 11
guest > . 11 ack 8393 win 502
guest < P. 8393:10201 ack 11
