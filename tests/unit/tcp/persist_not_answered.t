# SPDX-License-Identifier: BSD-2-Clause
# Twelve probes without an answer end the flow.
opened

guest > . 1 ack 1 win 0
host data 100
+201 ms
guest < . 0:0 ack 1
+401 ms
guest < . 0:0 ack 1
+801 ms
guest < . 0:0 ack 1
+1603 ms
guest < . 0:0 ack 1
+3203 ms
guest < . 0:0 ack 1
+6403 ms
guest < . 0:0 ack 1
+12803 ms
guest < . 0:0 ack 1
+25603 ms
guest < . 0:0 ack 1
+51203 ms
guest < . 0:0 ack 1
repeat 3
+60003 ms
guest < . 0:0 ack 1
again
+60003 ms
counter window_probes 12
guest < R. 1:1 ack 1
host resets
state none
