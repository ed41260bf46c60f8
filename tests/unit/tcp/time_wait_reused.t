# SPDX-License-Identifier: BSD-2-Clause
# A SYN beyond the old numbers begins a new connection at once.
opened

host eof
guest < F. 1:1 ack 1
guest > F. 1 ack 2 win 502
host end
guest < . 2:2 ack 2
host close
state time_wait
guest > S 10 mss 1460
host open
state connect
