# SPDX-License-Identifier: BSD-2-Clause
# A guest cannot make segments shorter than 88 bytes.
set frame 0
guest > S 0 mss 1 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502
host data 100
guest < . 1:89 ack 1
guest < P. 89:101 ack 1
