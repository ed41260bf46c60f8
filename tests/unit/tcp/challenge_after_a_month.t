# SPDX-License-Identifier: BSD-2-Clause
# A flow answers a SYN also if it is older than the times can count.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

guest > S 5000 
guest < . 1:1 ack 1
+1 s
+7199 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
guest > S 5000
guest < . 1:1 ack 1
