# SPDX-License-Identifier: BSD-2-Clause
# The largest window that the guest had decides what is small, not that of its SYN.
guest > S 0 mss 1460 ws 7 sackok 1 win 100
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 1
guest > . 1 ack 1 win 502
host data 100
guest < P. 1:101
guest > . 1 ack 101 win 1
host data 5000
+205 ms
guest < P. 101:229
