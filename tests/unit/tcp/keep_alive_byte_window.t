# SPDX-License-Identifier: BSD-2-Clause
# A keep-alive may have a byte, which is thrown away; its window counts.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 0
host data 100
guest > . 0:1 ack 1 win 502
host keepalive
guest < . 1:1 ack 1
guest < P. 1:101 ack 1
