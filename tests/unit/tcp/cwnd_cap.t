# SPDX-License-Identifier: BSD-2-Clause
# The congestion window grows to 4 MiB and no further, whatever the guest's window is.
set pool 65536
guest > S 0 mss 1460 ws 14 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 4000
host data 30000000
guest takes 65536
guest > . 1 ack taken win 4000
guest takes 131072
guest > . 1 ack taken win 4000
guest takes 262144
guest > . 1 ack taken win 4000
guest takes 524288
guest > . 1 ack taken win 4000
guest takes 1048576
guest > . 1 ack taken win 4000
guest takes 2097152
guest > . 1 ack taken win 4000
guest takes 4194304
guest > . 1 ack taken win 4000
guest takes 4194304
guest > . 1 ack taken win 4000
guest takes 4194304
