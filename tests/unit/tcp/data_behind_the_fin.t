# SPDX-License-Identifier: BSD-2-Clause
# Data behind the FIN of the guest is not taken.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
guest > P. 2:12 ack 1 win 502
state open
