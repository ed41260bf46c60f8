# SPDX-License-Identifier: BSD-2-Clause
# A guest that was slow once is not slow for ever: the estimate follows the samples (RFC 6298 2.3).
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
+900 ms
guest > . 1 ack 1 win 502
repeat 40
host data 100
guest takes 100
guest > . 1 ack taken win 502
again
host data 100
guest < P. 4001:4101
+60 ms
guest < P. 4001:4101
+205 ms
guest < P. 4001:4101
