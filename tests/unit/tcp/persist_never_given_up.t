# SPDX-License-Identifier: BSD-2-Clause
# A guest that answers each probe keeps its closed window as long as it likes. The probes become rare.
opened

guest > . 1 ack 1 win 0
host data 100
+201 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+401 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+801 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+1601 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+3203 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+6403 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+12803 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+25603 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+51203 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
repeat 6
+60003 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
again
state open
# The next wait begins short again.
guest > . 1 ack 1 win 502
guest < P. 1:101 ack 1
guest > . 1 ack 101 win 0
host data 100
+205 ms
guest < . 100:100 ack 1
