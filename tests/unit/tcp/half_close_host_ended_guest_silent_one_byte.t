# SPDX-License-Identifier: BSD-2-Clause
# The end is sent again like data, with one byte before it. Questions without an answer end the flow.
opened

host data 1
guest < P. 1:2 ack 1
host eof
guest < F. 2:2 ack 1
+60 ms
guest < FP. 1:2
+210 ms
guest < FP. 1:2
+410 ms
guest < FP. 1:2
+810 ms
guest < FP. 1:2
+1610 ms
guest < FP. 1:2
+3210 ms
guest < FP. 1:2
+6410 ms
guest < FP. 1:2
+12810 ms
guest < FP. 1:2
+25610 ms
guest < FP. 1:2
+10 s
repeat 2
+15 s
guest < . 0:0 ack 1
again
+15 s
guest < FP. 1:2
guest < . 0:0 ack 1
+15 s
guest < . 0:0 ack 1
+15 s
guest < R. 3:3
host resets
state none
