# SPDX-License-Identifier: BSD-2-Clause
# An acknowledgement that frees nothing does not put the timeout off.
opened

host data 100
guest < P. 1:101
+60 ms
guest < P. 1:101
+150 ms
guest > P. 1:2 ack 1 win 502
guest < . 101:101 ack 2
host < 1
+60 ms
guest < P. 1:101
