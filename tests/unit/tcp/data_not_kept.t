# SPDX-License-Identifier: BSD-2-Clause
# The pool is used up, and the socket takes a part: the rest is not acknowledged. Neither is a FIN
# behind it, nor are segments behind it in the batch.
set pool 512
opened
repeat 8
opened:*
host:* takes 0
guest:* >> . 1:40001 ack 1
guest:* > P. 40001:65536 ack 1
guest:* < . 1:1 ack 65536
again
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
