# SPDX-License-Identifier: BSD-2-Clause
host accepted
guest < S 0:0
guest > S 0 mss 1460 ws 7
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502
state open
