# SPDX-License-Identifier: BSD-2-Clause
# One flow keeps a quarter of what is free in the pool at most.
set pool 1024
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
guest takes 256960
