# SPDX-License-Identifier: BSD-2-Clause
# The window of the SYN is not scaled: the SYN-ACK's acknowledgement sets the first that is.
guest > S 0 mss 1460 ws 7 sackok 1 win 100
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 100
host data 20000
guest < P. 1:12801 ack 1
