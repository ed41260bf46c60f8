# SPDX-License-Identifier: BSD-2-Clause
# A forward's connection comes from its peer; a frame that is sent again is counted in bytes.
host accepted
guest < S 0:0 mss 1460 ws 7 sackok 1
listed SYN_SENT forward 1 source_port 80 dest_port 40000
guest > S. 0 ack 1 mss 1460 ws 7 sackok 1
guest < . 1:1 ack 1
host data 10
guest < P. 1:11 ack 1
listed ESTABLISHED again 0 send 10
+60 ms
guest < P. 1:11 ack 1
listed ESTABLISHED again 10 send 10 in 10
