# SPDX-License-Identifier: BSD-2-Clause
# A probe of our closed window is answered, and its byte not taken.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

host takes 0
guest >> . 1:40001 ack 1
guest > P. 40001:65536 ack 1
guest < . 1:1 ack 65536 win 0
guest > . 65536:65537 ack 1
guest < . 1:1 ack 65536 win 0
