# SPDX-License-Identifier: BSD-2-Clause
# The guest opens, sends a request, gets an answer, and both ends close.
guest > S 0 mss 1460 ws 7 sackok 1 win 64240
host open
host opened
state connect
host connected
guest < S. 0:0 ack 1 win 65535 mss 1460 ws 7 sackok 1
guest > . 1 ack 1 win 502
guest > P. 1:101 ack 1 win 502
guest < . 1:1 ack 101
host < 100
host data 5000
guest < P. 1:5001 ack 101
guest > . 101 ack 5001 win 502
guest > F. 101 ack 5001 win 502
host end
guest < . 5001:5001 ack 102
host eof
guest < F. 5001:5001 ack 102
guest > . 102 ack 5002
host close
state none
