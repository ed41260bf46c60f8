# SPDX-License-Identifier: BSD-2-Clause
opened
+10 s

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
+75010 ms
guest < . 0:0 ack 2
+15010 ms
guest < . 0:0 ack 2
+15010 ms
guest < . 0:0 ack 2
+15010 ms
guest < . 0:0 ack 2
+15010 ms
guest < R. 1:1 ack 2
host resets
state none
ended idle 1
