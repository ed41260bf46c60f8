# SPDX-License-Identifier: BSD-2-Clause
# A guest that answers each probe keeps its closed window as long as it likes.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

guest > . 1 ack 1 win 0
host data 100
+201 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
state open
