# SPDX-License-Identifier: BSD-2-Clause
# A guest without options: default piece, no scale, no SACK.
guest > S 0
host open
host opened
host connected
guest < S. 0:0 ack 1 no ws
guest > . 1 ack 1 win 60000
host data 1000
guest < P. 1:1001 ack 1
