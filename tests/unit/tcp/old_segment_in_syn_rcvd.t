# SPDX-License-Identifier: BSD-2-Clause
# The acknowledgement of the SYN counts only with a number in the window.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 900000 ack 1 win 502
guest < . 1:1 ack 1
state syn_rcvd
guest > . 0 ack 1 win 502
state syn_rcvd
counter outside_window 2
guest > . 1 ack 1 win 502
state open
