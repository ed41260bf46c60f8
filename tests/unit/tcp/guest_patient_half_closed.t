# SPDX-License-Identifier: BSD-2-Clause
# A guest that still waits acknowledges the probe, and the flow lives on.
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
repeat 6
+75010 ms
guest < . 0:0 ack 2
guest > . 2 ack 1 win 502
again
+60 s
state open
