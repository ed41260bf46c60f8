# SPDX-License-Identifier: BSD-2-Clause
# A FIN behind bytes that were not taken is not taken either.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

host takes 0
guest >> . 1:40001 ack 1
guest > P. 40001:65536 ack 1
guest < . 1:1 ack 65536 win 0
guest > FP. 65536:65546 ack 1
guest < . 1:1 ack 65536 win 0
host takes all
host writable
guest < . 1:1 ack 65536 win 512
host < 65535
state open
