# SPDX-License-Identifier: BSD-2-Clause
# The end is sent again like data, without data before it. Questions without an answer end the flow.
opened

host eof
guest < F. 1:1 ack 1
+60 ms
guest < F. 1:1
+210 ms
guest < F. 1:1
+410 ms
guest < F. 1:1
+810 ms
guest < F. 1:1
+1610 ms
guest < F. 1:1
+3210 ms
guest < F. 1:1
+6410 ms
guest < F. 1:1
+12810 ms
guest < F. 1:1
+25610 ms
guest < F. 1:1
+10 s
repeat 2
+15 s
guest < . 0:0 ack 1
again
+15 s
guest < F. 1:1
guest < . 0:0 ack 1
+15 s
guest < . 0:0 ack 1
+15 s
guest < R. 2:2
host resets
state none
