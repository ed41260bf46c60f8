# SPDX-License-Identifier: BSD-2-Clause
# A guest that says nothing, with one byte each way: after twelve timeouts the flow is given up, and what the
# host has not taken is thrown away.
opened

host takes 0
guest > P. 1:2 ack 1 win 502
guest < . 1:1 ack 2
host data 1
guest < P. 1:2 ack 2
+60 ms
guest < P. 1:2
+210 ms
guest < P. 1:2
+410 ms
guest < P. 1:2
+810 ms
guest < P. 1:2
+1610 ms
guest < P. 1:2
+3210 ms
guest < P. 1:2
+6420 ms
guest < P. 1:2
+12820 ms
guest < P. 1:2
+25620 ms
guest < P. 1:2
+51220 ms
guest < P. 1:2
repeat 3
+60020 ms
guest < P. 1:2
again
+60020 ms
guest < R. 2:2
host resets
state none
ended not_acknowledged 1
