# SPDX-License-Identifier: BSD-2-Clause
# A slow socket does not make the window smaller than 32 KiB.
opened

host takes 0
guest > . 1:10001 ack 1
guest < . 1:1 ack 10001
+110 ms
host takes all
host writable
host < 10000
host takes 0
guest > . 10001:20001 ack 1
guest < . 1:1 ack 20001
+110 ms
host takes all
host writable
host < 10000
guest > . 20001:40001 ack 1
guest < . 1:1 ack 40001 win 256
host < 20000
