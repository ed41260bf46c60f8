# SPDX-License-Identifier: BSD-2-Clause
# An acknowledgement of the data before our FIN does not end the flow.
opened

host data 10
guest < P. 1:11 ack 1
host eof
guest < F. 11:11 ack 1
guest > F. 1 ack 11 win 502
host end
guest < . 12:12 ack 2
state open
guest > . 2 ack 12 win 502
host close
state time_wait
