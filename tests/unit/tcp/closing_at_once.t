# SPDX-License-Identifier: BSD-2-Clause
# Both ends close at once: TIME_WAIT begins when our FIN is acknowledged.
opened

host eof
guest < F. 1:1 ack 1
guest > F. 1 ack 1 win 502
host end
guest < . 2:2 ack 2
guest > . 2 ack 2 win 502
host close
state time_wait
