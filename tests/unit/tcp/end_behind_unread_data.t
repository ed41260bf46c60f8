# SPDX-License-Identifier: BSD-2-Clause
# An end that came with data is found, though its edge comes once.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

guest > . 1 ack 1 win 0
host data 100
host eof
guest > . 1 ack 1 win 502
guest < FP. 1:101 ack 1
