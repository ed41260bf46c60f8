# SPDX-License-Identifier: BSD-2-Clause
# Over 7/8 of the places are in use: flows that were heard of, or are open both ways, are not asked.
set flows 16
opened

guest:1 > S 0 mss 1460 ws 7 sackok 1
host:1 open
host:1 opened
host:1 connected
guest:1 < S. 0:0 ack 1
guest:1 > . 1 ack 1 win 502
+4 s
guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
+4 s
flood 2 14
+500 ms
state open
