# SPDX-License-Identifier: BSD-2-Clause
# A loss halves what may be out, once for a window; then one piece for each round trip (RFC 5681 3.2).
set pool 65536
set frame 0
guest > S 0 mss 1460 ws 7
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 5000
host data 400000
guest takes 65536
guest > . 1 ack 1 win 5000
guest > . 1 ack 1 win 5000
guest > . 1 ack 1 win 5000
guest < . 1:1449
counter fast_retransmits 1
guest > . 1 ack 1 win 5000
guest > . 1 ack taken win 5000
guest takes 32768
guest > . 1 ack taken win 5000
guest takes 34217
guest > . 1 ack taken win 5000
guest takes 35666
