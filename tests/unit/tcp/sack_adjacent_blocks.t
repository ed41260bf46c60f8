# SPDX-License-Identifier: BSD-2-Clause
# Blocks that touch are one, whichever comes first.
opened

host data 10000
guest < P. 1:10001
guest > P. 1:2 ack 1 win 502 sack 4000-5000
guest < . 10001:10001 ack 2
host < 1
guest > P. 2:3 ack 1 win 502 sack 3000-4000
guest < . 10001:10001 ack 3
host < 1
guest > P. 3:4 ack 1 win 502 sack 5000-6000
guest < . 10001:10001 ack 4
host < 1
guest > P. 4:5 ack 1 win 502 sack 8000-9000
guest < . 10001:10001 ack 5
host < 1
guest > . 5 ack 1 win 502 sack 2000-9500
guest < . 1:2000
guest > . 5 ack 10001 win 502
