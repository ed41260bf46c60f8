# SPDX-License-Identifier: BSD-2-Clause
# A patient guest answers, and is asked again only after another 5 s.
set flows 16
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
+5 s
flood 1 13
guest:14 > S 0 mss 1460
host:14 open
guest < . 0:0 ack 2
guest > . 2 ack 1 win 502
+2 s
guest:15 > S 0 mss 1460
host:15 open
+4 ms
state open
+75 s
guest < . 0:0 ack 2
state open
