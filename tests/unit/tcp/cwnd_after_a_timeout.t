# SPDX-License-Identifier: BSD-2-Clause
# A timeout halves the threshold of slow start: beyond it the window grows by one piece.
set pool 65536
set frame 0
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 5000
host data 400000
guest takes 65536
+60 ms
guest < P. 64089:65537
+205 ms
guest < . 1:1449
guest > . 1 ack 65537 win 5000
guest takes 66984
guest > . 1 ack taken win 5000
guest takes 68433
