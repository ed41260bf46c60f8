# SPDX-License-Identifier: BSD-2-Clause
# A flow whose guest acknowledges is not taken for stuck, however old it is.
set pool 512
opened

repeat 7
+10 ms
opened:*
host:* takes 0
guest:* >> . 1:40001 ack 1
guest:* > P. 40001:65536 ack 1
guest:* < . 1:1 ack 65536
again
+20 s
host data 10
guest < P. 1:11 ack 1
guest > . 1 ack 11 win 502
+10200 ms
host data 10
guest < P. 11:21 ack 1
host data 10
+10 ms
guest:1 < R. 1:1 ack 65536
host:1 resets
state open
