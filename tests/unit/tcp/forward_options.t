# SPDX-License-Identifier: BSD-2-Clause
# What the guest does not offer is not used; its MSS holds.
set frame 0
host accepted
guest < S 0:0 mss 1460 ws 7 sackok 1
guest > S. 0 ack 1 mss 600
guest < . 1:1 ack 1 win 65535
host data 700
guest < . 1:601 ack 1 win 65535
guest < P. 601:701 ack 1 win 65535
