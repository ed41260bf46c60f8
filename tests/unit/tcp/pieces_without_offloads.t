# SPDX-License-Identifier: BSD-2-Clause
# Without offloads a frame is one segment.
set frame 0
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

host data 3000
guest < . 1:1449
guest < . 1449:2897
guest < P. 2897:3001
