# SPDX-License-Identifier: BSD-2-Clause
# Each hole between SACK blocks is sent again, once, and nothing that has arrived;
# as much of it as the congestion window, half of what was out, lets out (RFC 6675).
set frame 0
opened

host data 14480
guest takes 14480
guest > . 1 ack 1 win 502 sack 1449-2897
guest > . 1 ack 1 win 502 sack 4345-5793 sack 1449-2897
guest > . 1 ack 1 win 502 sack 7241-8689 sack 4345-5793 sack 1449-2897
guest < . 1:1449
guest > . 1 ack 1 win 502 sack 8689-10137 sack 7241-8689 sack 4345-5793 sack 1449-2897
guest < . 2897:4345
guest > . 1 ack 2897 win 502 sack 7241-10137 sack 4345-5793
guest < . 5793:7241
guest > . 1 ack 5793 win 502 sack 7241-10137
guest > . 1 ack 14481 win 502
counter fast_retransmits 1
host data 100
guest < P. 14481:14581
