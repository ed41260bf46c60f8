# SPDX-License-Identifier: BSD-2-Clause
# Slow start: each acknowledged byte lets two out, from one frame on (RFC 5681 3.1).
set pool 65536
guest > S 0 mss 1460 ws 14 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 512
host data 3000000
guest takes 65536
guest > . 1 ack taken win 512
guest takes 131072
guest > . 1 ack taken win 512
guest takes 262144
guest > . 1 ack taken win 512
guest takes 524288
