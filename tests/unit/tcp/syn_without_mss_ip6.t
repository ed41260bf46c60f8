# SPDX-License-Identifier: BSD-2-Clause
# Without the option a segment has 1220 bytes.
set frame 0
set ip6 1
guest > S 0
host open
host opened
host connected
guest < S. 0:0 ack 1 mss 1440 no ws
guest > . 1 ack 1 win 60000
host data 1300
guest < . 1:1221 ack 1
guest < P. 1221:1301 ack 1
