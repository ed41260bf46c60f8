# SPDX-License-Identifier: BSD-2-Clause
# The acknowledgement of the guest's SYN goes with the client's first data, if that comes at once.
awake
host accepted
guest < S 0:0
guest > S. 0 ack 1 mss 1460 ws 7 sackok 1
state open
host data 10
guest < P. 1:11 ack 1
