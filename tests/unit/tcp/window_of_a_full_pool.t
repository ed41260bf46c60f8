# SPDX-License-Identifier: BSD-2-Clause
# Little of the pool is free: no window is larger than 64 KiB, but what was promised stays so.
set pool 512
opened
guest > . 1:40001 ack 1
guest < . 1:1 ack 40001 win 1024
host < 40000
repeat 7
opened:*
host:* takes 0
guest:* >> . 1:40001 ack 1
guest:* > P. 40001:65536 ack 1
guest:* < . 1:1 ack 65536
again
guest > . 40001:80001 ack 1
guest < . 1:1 ack 80001 win 711
host < 40000
guest > . 80001:120001 ack 1
guest < . 1:1 ack 120001 win 512
host < 40000
# Data ahead of a gap is not kept any more.
guest > . 130001:130101 ack 1
guest < . 1:1 ack 120001 no sack
counter gap_dropped 1
