# SPDX-License-Identifier: BSD-2-Clause
# After twelve timeouts the flow is given up.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

host data 100
guest < P. 1:101
+60 ms
guest < P. 1:101
+210 ms
guest < P. 1:101
+410 ms
guest < P. 1:101
+810 ms
guest < P. 1:101
+1610 ms
guest < P. 1:101
+3210 ms
guest < P. 1:101
+6420 ms
guest < P. 1:101
+12820 ms
guest < P. 1:101
+25620 ms
guest < P. 1:101
+51220 ms
guest < P. 1:101
+60020 ms
guest < P. 1:101
+60020 ms
guest < P. 1:101
+60020 ms
guest < P. 1:101
+60020 ms
guest < R. 101:101
host resets
state none
