# SPDX-License-Identifier: BSD-2-Clause
# A SYN that is not beyond the old numbers is an old one: it is acknowledged, once in half a second.
opened

host eof
guest < F. 1:1 ack 1
guest > F. 1 ack 2 win 502
host end
guest < . 2:2 ack 2
host close
state time_wait
guest > S 2 mss 1460
guest < . 2:2 ack 2
guest > S 1 mss 1460
state time_wait
guest > S 3 mss 1460
host open
state connect
counter outside_window 2
