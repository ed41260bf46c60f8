# SPDX-License-Identifier: BSD-2-Clause
# A frame that the kernel lost is sent again by the timer.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

emit ENOMEM 1
host data 100
+60 ms
guest < P. 1:101 ack 1
counter frames_lost 1
