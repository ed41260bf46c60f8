# SPDX-License-Identifier: BSD-2-Clause
# Long waits for a closed window do not make the timeout of what is sent then longer.
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
guest > . 1 ack 1 win 502
guest < P. 1:101 ack 1
+60 ms
guest < P. 1:101 ack 1
+205 ms
guest < P. 1:101 ack 1
