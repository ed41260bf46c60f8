# SPDX-License-Identifier: BSD-2-Clause
# The guest resets, and the host resets or fails in the same moment: the events of the socket that was closed
# change nothing, also not for the flow that has got its place.
opened

guest >> P. 1:11 ack 1 win 502
guest > R 11
host resets
state none
ended reset_by_guest 1
host lost ETIMEDOUT
host reset
state none

guest:1 > S 0 mss 1460 ws 7 sackok 1
host:1 open
host reset
state:1 connect
host:1 opened
host lost ETIMEDOUT
host:1 connected
guest:1 < S. 0:0 ack 1
guest:1 > . 1 ack 1 win 502
host reset
host lost ETIMEDOUT
state:1 open
ended host_error 0
ended reset_by_host 0
