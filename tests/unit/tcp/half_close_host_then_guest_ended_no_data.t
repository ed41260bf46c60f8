# SPDX-License-Identifier: BSD-2-Clause
# The host ends first, without data each way: TIME_WAIT without a socket for two seconds.
opened

host eof
guest < F. 1:1 ack 1
guest > . 1 ack 2 win 502
guest > F. 1 ack 2 win 502
host end
guest < . 2:2 ack 2
host close
state time_wait
+2010 ms
state none
