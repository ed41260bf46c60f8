# SPDX-License-Identifier: BSD-2-Clause
# A keep-alive does not show a loss.
opened

host data 100
guest < P. 1:101
guest > . 0 ack 1 win 502
host keepalive
guest < . 101:101 ack 1
guest > . 0 ack 1 win 502
guest < . 101:101 ack 1
guest > . 0 ack 1 win 502
guest < . 101:101 ack 1
counter fast_retransmits 0
