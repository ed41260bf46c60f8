# SPDX-License-Identifier: BSD-2-Clause
# The SYN-ACK is the first sample: a guest that is far away gets its time (RFC 6298 2.2).
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
+900 ms
guest > . 1 ack 1 win 502
host data 100
guest < P. 1:101
+1800 ms
+44 ms
guest < P. 1:101
+2690 ms
+14 ms
guest < P. 1:101
