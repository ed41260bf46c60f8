# SPDX-License-Identifier: BSD-2-Clause
# A peer of a forward: the guest answers, and data goes both ways.
host accepted
guest < S 0:0 mss 1460 ws 7 sackok 1
guest > S. 0 ack 1 mss 1460 ws 7 sackok 1
guest < . 1:1 ack 1
host data 10
guest < P. 1:11 ack 1
guest > P. 1:21 ack 11 win 502
guest < . 11:11 ack 21
host < 20
