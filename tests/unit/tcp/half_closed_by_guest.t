# SPDX-License-Identifier: BSD-2-Clause
# The guest has ended: the host's data goes on, with windows and probes.
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
host data 100
guest < P. 1:101 ack 2
guest > . 2 ack 101 win 0
host data 100
+205 ms
guest < . 100:100 ack 2
guest > . 2 ack 101 win 502
guest < P. 101:201 ack 2
guest > . 2 ack 201 win 502
host eof
guest < F. 201:201 ack 2
guest > . 2 ack 202
host close
state none
