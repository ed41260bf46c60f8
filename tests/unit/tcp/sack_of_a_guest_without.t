# SPDX-License-Identifier: BSD-2-Clause
# Blocks of a guest that has not agreed to SACK do not count.
guest > S 0 mss 1460 ws 7
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502
host data 10000
guest < P. 1:10001
guest > . 1 ack 1 win 502 sack 5001-10001
guest < P. 1:10001
