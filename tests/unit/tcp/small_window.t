# SPDX-License-Identifier: BSD-2-Clause
# Less than a piece goes out only after a pause, if nothing is under way.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 2
host data 5000
+205 ms
guest < P. 1:257 ack 1
