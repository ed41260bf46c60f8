# SPDX-License-Identifier: BSD-2-Clause
guest > S 0 mss 1460 ws 7
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > FP. 1:11 ack 1 win 502
host < 10
host end
guest < . 1:1 ack 12
