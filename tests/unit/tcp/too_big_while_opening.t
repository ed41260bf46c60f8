# SPDX-License-Identifier: BSD-2-Clause
# Nothing is out that a router could have found too long.
set frame 0
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
too big 0 1280
host connected
guest < S. 0:0 ack 1
too big 0 1280
guest > . 1 ack 1 win 502
host data 2000
guest < . 1:1449
guest < P. 1449:2001
