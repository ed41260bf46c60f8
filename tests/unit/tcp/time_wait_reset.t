# SPDX-License-Identifier: BSD-2-Clause
# In TIME_WAIT only an exact reset ends the flow.
opened

host eof
guest < F. 1:1 ack 1
guest > F. 1 ack 2 win 502
host end
guest < . 2:2 ack 2
host close
state time_wait
guest > R 5
state time_wait
counter bad_reset 1
# An acknowledgement of another time is only counted.
guest > . 9 ack 2 win 502
counter outside_window 1
guest > R 2
state none
