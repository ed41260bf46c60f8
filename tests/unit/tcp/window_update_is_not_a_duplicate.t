# SPDX-License-Identifier: BSD-2-Clause
# A window update does not show a loss (RFC 5681 2).
opened

host data 100
guest < P. 1:101
guest > . 1 ack 1 win 503
guest > . 1 ack 1 win 504
guest > . 1 ack 1 win 505
guest > P. 1:11 ack 1 win 505
guest < . 101:101 ack 11
host < 10
counter fast_retransmits 0
guest > . 11 ack 1 win 505
guest < P. 1:101
counter fast_retransmits 1
