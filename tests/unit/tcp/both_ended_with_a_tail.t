# SPDX-License-Identifier: BSD-2-Clause
# A flow that both ends have closed stays until its last byte is with the host.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

host takes 0
guest > FP. 1:2 ack 1 win 502
guest < . 1:1 ack 3
host eof
guest < F. 1:1 ack 3
guest > . 3 ack 2 win 502
state open
host takes all
host writable
host < 1
host end
host close
state none
