# SPDX-License-Identifier: BSD-2-Clause
# Eight blocks are remembered. What more are reported is sent again; nothing is lost.
set frame 0
opened

host data 28960
guest takes 28960
guest > . 1 ack 1 win 502 sack 4000-4001 sack 3000-3001 sack 2000-2001 sack 1000-1001
guest > . 1 ack 1 win 502 sack 5000-5001 sack 6000-6001 sack 7000-7001 sack 8000-8001
guest > . 1 ack 1 win 502 sack 9000-9001 sack 10000-10001 sack 5000-5001 sack 6000-6001
guest < . 1:1000
guest > . 1 ack 28961 win 502
counter fast_retransmits 1
host data 100
guest < P. 28961:29061
