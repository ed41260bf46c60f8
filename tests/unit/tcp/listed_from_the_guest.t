# SPDX-License-Identifier: BSD-2-Clause
# The words and numbers of lists, from the guest's SYN until the host's end comes last.
guest > S 0 mss 1460 ws 7 sackok 1
host open
listed SYN_RCVD forward 0 source_port 40000 dest_port 80 recv 0 send 0 in 0 out 0 rtt_known 0
host opened
host connected
guest < S. 0:0 ack 1
listed SYN_RCVD age_s 0
+20 ms
guest > . 1 ack 1 win 502
listed ESTABLISHED rtt_known 1
host takes 30
guest > P. 1:101 ack 1 win 502
guest < . 1:1 ack 101
host < 30
# What the socket has not taken is in the queue.
listed ESTABLISHED recv 70 out 30
host data 50
guest < P. 1:51 ack 101
listed ESTABLISHED send 50 in 50 again 0
guest > . 101 ack 31 win 502
listed ESTABLISHED send 20 in 50
host takes all
host writable
host < 70
listed ESTABLISHED recv 0 out 100
guest > . 101 ack 51 win 502
guest > F. 101 ack 51 win 502
host end
guest < . 51:51 ack 102
listed CLOSE_WAIT send 0 in 50 out 100
+3000 ms
listed CLOSE_WAIT age_s 3
host data 10
guest < P. 51:61 ack 102
listed CLOSE_WAIT send 10 in 60
host eof
guest < F. 61:61 ack 102
listed LAST_ACK in 60
guest > . 102 ack 62
host close
state none
ended closed 1
