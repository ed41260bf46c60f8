# SPDX-License-Identifier: BSD-2-Clause
# Data and a FIN with the SYN are not taken (no TCP Fast Open); the guest sends them again.
guest > S 0:100 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1:101 ack 1 win 502
guest < . 1:1 ack 101
host < 100
