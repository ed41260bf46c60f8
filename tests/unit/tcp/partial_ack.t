# SPDX-License-Identifier: BSD-2-Clause
# Without SACK a partial acknowledgement shows the next loss (RFC 6582).
set frame 0
guest > S 0 mss 1460 ws 7
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502
host data 14480
guest takes 14480
guest > . 1 ack 1 win 502
guest > . 1 ack 1 win 502
guest > . 1 ack 1 win 502
guest < . 1:1449
guest > . 1 ack 4345 win 502
guest < . 4345:5793
guest > . 1 ack 14481 win 502
counter fast_retransmits 1
