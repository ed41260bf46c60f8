# SPDX-License-Identifier: BSD-2-Clause
# If something in the guest loses the trial, the flow gets ordinary frames from then on.
set big 130320
guest > S 0 mss 1460 ws 10 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 1000
host data 64240
guest < P. 1:64241
guest > . 1 ack 64241 win 1000
host data 100000
guest < P. 64241:164241
big trying
+41 ms
guest < P. 162793:164241
+200 ms
guest < . 64241:65689
guest > . 1 ack 164241 win 1000
big never
