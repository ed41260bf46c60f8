# SPDX-License-Identifier: BSD-2-Clause
# A FIN behind bytes that were not taken is not taken either.
opened

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
