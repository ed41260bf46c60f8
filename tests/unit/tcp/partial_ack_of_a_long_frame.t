# SPDX-License-Identifier: BSD-2-Clause
# A frame stands for many segments: a part of it may be lost again.
guest > S 0 mss 1460 ws 7
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502
host data 64240
guest < P. 1:64241
guest > . 1 ack 1 win 502
guest < P. 1:64241
guest > . 1 ack 10001 win 502
guest < P. 10001:64241
guest > . 1 ack 64241 win 502
counter fast_retransmits 1
