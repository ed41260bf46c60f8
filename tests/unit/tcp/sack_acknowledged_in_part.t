# SPDX-License-Identifier: BSD-2-Clause
# What is acknowledged leaves the list of blocks, also a part of one. Two pieces are no loss yet.
set frame 0
opened

host data 14480
guest takes 14480
guest > . 1 ack 1 win 502 sack 1449-1450 sack 4345-7241
guest > . 1 ack 1450 win 502 sack 4345-7241
guest > . 1 ack 1450 win 502 sack 4345-7241
guest > . 1 ack 5000 win 502 sack 5793-7241
guest > . 1 ack 5000 win 502 sack 5793-7241
counter fast_retransmits 0
guest > . 1 ack 5000 win 502 sack 8689-10138 sack 5793-7241
counter fast_retransmits 0
