# SPDX-License-Identifier: BSD-2-Clause
# The client's data and end come before the guest answers: they are read as soon as it does.
host accepted
guest < S 0:0
host data 10
host eof
guest > S. 0 ack 1 mss 1460 ws 7 sackok 1
guest < FP. 1:11 ack 1
state open
