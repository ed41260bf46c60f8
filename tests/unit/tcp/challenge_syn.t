# SPDX-License-Identifier: BSD-2-Clause
# A SYN in an open flow is challenged (RFC 5961 4), once in half a second.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

guest > S 500
guest < . 1:1 ack 1
guest > S 501
+510 ms
guest > S 502
guest < . 1:1 ack 1
counter challenges 2
