# SPDX-License-Identifier: BSD-2-Clause
# The time in the tail counts from its first byte, also if more came.
opened

host takes 0
guest > . 1:10001 ack 1
guest < . 1:1 ack 10001
+90 ms
guest > . 10001:20001 ack 1
guest < . 1:1 ack 20001
+20 ms
host takes all
host writable
host < 20000
guest > . 20001:40001 ack 1
guest < . 1:1 ack 40001 win 256
host < 20000
