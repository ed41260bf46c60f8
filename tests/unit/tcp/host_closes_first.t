# SPDX-License-Identifier: BSD-2-Clause
# The host closes first: the FIN rides on the last data, and the flow waits.
opened
host data 100
guest < P. 1:101 ack 1
guest > . 1 ack 101 win 502
host eof
guest < F. 101:101 ack 1
guest > . 1 ack 102 win 502
guest > F. 1 ack 102 win 502
host end
guest < . 102:102 ack 2
host close
state time_wait
guest > F. 1 ack 102 win 502
guest < . 102:102 ack 2
+3 s
state none
