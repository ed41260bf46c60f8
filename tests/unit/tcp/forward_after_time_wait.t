# SPDX-License-Identifier: BSD-2-Clause
# A client that uses its port again: the flow of the first connection waits no longer.
host accepted
guest < S 0:0
guest > S. 0 ack 1 mss 1460
guest < . 1:1 ack 1
host eof
guest < F. 1:1 ack 1
guest > F. 1 ack 2 win 502
host end
guest < . 2:2 ack 2
host close
state time_wait
host accepted
guest < S 0:0
counter tuple_taken 0
state syn_sent
