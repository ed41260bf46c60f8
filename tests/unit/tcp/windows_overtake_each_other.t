# SPDX-License-Identifier: BSD-2-Clause
# Of windows with the same numbers the largest is the newest: the smaller one was overtaken.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 10
guest > . 1 ack 1 win 502
guest > . 1 ack 1 win 10
host data 5000
guest < P. 1:5001 ack 1
guest > . 1 ack 1 win 11
+60 ms
guest < P. 3553:5001
guest > . 1 ack 5001 win 10
host data 5000
+205 ms
guest < P. 5001:6281
