# SPDX-License-Identifier: BSD-2-Clause
# A guest that fills half of its window in a batch, while the socket takes all, gets twice as much.
opened

guest > . 1:20001 ack 1
guest < . 1:1 ack 20001 win 512
host < 20000
guest > . 20001:60001 ack 1
guest < . 1:1 ack 60001 win 1024
host < 40000
guest >> . 60001:100001 ack 1
guest > . 100001:140001 ack 1
guest < . 1:1 ack 140001 win 2048
host < 80000
