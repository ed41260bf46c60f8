# SPDX-License-Identifier: BSD-2-Clause
# The window of the SYN-ACK is not scaled.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

guest > . 400001:400101 ack 1
guest < . 1:1 ack 1
counter outside_window 1
