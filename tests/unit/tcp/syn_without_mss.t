# SPDX-License-Identifier: BSD-2-Clause
# Without the option a segment has 536 bytes.
set frame 0
guest > S 0
host open
host opened
host connected
guest < S. 0:0 ack 1 mss 1460 no ws
guest > . 1 ack 1 win 60000
host data 600
guest < . 1:537 ack 1
guest < P. 537:601 ack 1
