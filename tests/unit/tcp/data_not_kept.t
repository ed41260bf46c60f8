# SPDX-License-Identifier: BSD-2-Clause
# The pool is used up, and the socket takes a part: the rest is not acknowledged. Neither is a FIN
# behind it, nor are segments behind it in the batch.
set pool 512
opened
guest:1 > S 0 mss 1460 ws 7 sackok 1
host:1 open
host:1 opened
host:1 connected
guest:1 < S. 0:0 ack 1
guest:1 > . 1 ack 1 win 502
host:1 takes 0
guest:1 >> . 1:40001 ack 1
guest:1 > P. 40001:65536 ack 1
guest:1 < . 1:1 ack 65536
guest:2 > S 0 mss 1460 ws 7 sackok 1
host:2 open
host:2 opened
host:2 connected
guest:2 < S. 0:0 ack 1
guest:2 > . 1 ack 1 win 502
host:2 takes 0
guest:2 >> . 1:40001 ack 1
guest:2 > P. 40001:65536 ack 1
guest:2 < . 1:1 ack 65536
guest:3 > S 0 mss 1460 ws 7 sackok 1
host:3 open
host:3 opened
host:3 connected
guest:3 < S. 0:0 ack 1
guest:3 > . 1 ack 1 win 502
host:3 takes 0
guest:3 >> . 1:40001 ack 1
guest:3 > P. 40001:65536 ack 1
guest:3 < . 1:1 ack 65536
guest:4 > S 0 mss 1460 ws 7 sackok 1
host:4 open
host:4 opened
host:4 connected
guest:4 < S. 0:0 ack 1
guest:4 > . 1 ack 1 win 502
host:4 takes 0
guest:4 >> . 1:40001 ack 1
guest:4 > P. 40001:65536 ack 1
guest:4 < . 1:1 ack 65536
guest:5 > S 0 mss 1460 ws 7 sackok 1
host:5 open
host:5 opened
host:5 connected
guest:5 < S. 0:0 ack 1
guest:5 > . 1 ack 1 win 502
host:5 takes 0
guest:5 >> . 1:40001 ack 1
guest:5 > P. 40001:65536 ack 1
guest:5 < . 1:1 ack 65536
guest:6 > S 0 mss 1460 ws 7 sackok 1
host:6 open
host:6 opened
host:6 connected
guest:6 < S. 0:0 ack 1
guest:6 > . 1 ack 1 win 502
host:6 takes 0
guest:6 >> . 1:40001 ack 1
guest:6 > P. 40001:65536 ack 1
guest:6 < . 1:1 ack 65536
guest:7 > S 0 mss 1460 ws 7 sackok 1
host:7 open
host:7 opened
host:7 connected
guest:7 < S. 0:0 ack 1
guest:7 > . 1 ack 1 win 502
host:7 takes 0
guest:7 >> . 1:40001 ack 1
guest:7 > P. 40001:65536 ack 1
guest:7 < . 1:1 ack 65536
guest:8 > S 0 mss 1460 ws 7 sackok 1
host:8 open
host:8 opened
host:8 connected
guest:8 < S. 0:0 ack 1
guest:8 > . 1 ack 1 win 502
host:8 takes 0
guest:8 >> . 1:40001 ack 1
guest:8 > P. 40001:65536 ack 1
guest:8 < . 1:1 ack 65536
host takes 50
guest >> . 1:101 ack 1 win 502
guest > FP. 101:201 ack 1 win 502
guest < . 1:1 ack 51
host < 50
counter data_not_kept 150
host takes all
host writable
guest > FP. 51:201 ack 1 win 502
host < 150
host end
guest < . 1:1 ack 202
