# SPDX-License-Identifier: BSD-2-Clause
# The host ends first, with 1 MiB each way: TIME_WAIT without a socket for two seconds.
opened

host data 1048576
guest takes 64256
host eof
guest > . 1 ack taken win 502
guest drains 984320 1
guest > . 1 ack 1048578 win 502
host takes 0
guest >> . 1:40001 ack 1048578 win 502
guest > FP. 40001:65536 ack 1048578 win 502
guest < . 1048578:1048578 ack 65537
state open
host takes all
host writable
host < 65535
host end
host close
state time_wait
+2010 ms
state none
