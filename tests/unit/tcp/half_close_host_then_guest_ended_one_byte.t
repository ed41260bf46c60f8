# SPDX-License-Identifier: BSD-2-Clause
# The host ends first, with one byte each way: TIME_WAIT without a socket for two seconds.
opened

host data 1
guest < P. 1:2 ack 1
host eof
guest < F. 2:2 ack 1
guest > . 1 ack 3 win 502
host takes 0
guest > FP. 1:2 ack 3 win 502
guest < . 3:3 ack 3
state open
host takes all
host writable
host < 1
host end
host close
state time_wait
+2010 ms
state none
