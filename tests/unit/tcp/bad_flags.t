# SPDX-License-Identifier: BSD-2-Clause
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

guest > SF 1 ack 1
guest > SR 1
guest > 0 1
counter bad_flags 3
