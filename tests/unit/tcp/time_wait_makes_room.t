# SPDX-License-Identifier: BSD-2-Clause
# Flows in TIME_WAIT leave places to new connections.
set flows 4
opened

host eof
guest < F. 1:1 ack 1
guest > F. 1 ack 2 win 502
host end
guest < . 2:2 ack 2
host close
state time_wait
flood 1 3
counter flows_full 0
state none
