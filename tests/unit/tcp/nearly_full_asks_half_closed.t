# SPDX-License-Identifier: BSD-2-Clause
# Over 7/8 of the places are in use: a half-closed flow that was idle for 5 s is asked at once.
set flows 16
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
+5 s
flood 1 13
guest:14 > S 0 mss 1460
host:14 open
guest < . 0:0 ack 2
guest > R 2
host close
state none
