# SPDX-License-Identifier: BSD-2-Clause
# The pool is used up, the reserve too. After 30 s without progress a flow gives its buffers to those
# that wait: the one without progress for longest, and no more of them than are needed.
set pool 512
opened

repeat 8
+10 ms
opened:*
host:* takes 0
guest:* >> . 1:40001 ack 1
guest:* > P. 40001:65536 ack 1
guest:* < . 1:1 ack 65536
again
+20 s
host:1 takes 10
host:1 writable
host:1 < 10
+9 s
host data 100
counter starved 1
+900 ms
state open
+1050 ms
guest:2 < R. 1:1 ack 65536
host:2 resets
guest < P. 1:101 ack 1
guest > . 1 ack 101 win 502
+60 s
ended no_memory 1
