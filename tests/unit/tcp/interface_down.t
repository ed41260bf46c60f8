# SPDX-License-Identifier: BSD-2-Clause
# While the guest's interface is down nothing backs off.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

emit EIO 1000
host data 100
+5000 ms
emit EIO 0
tap ready
guest < P. 1:101 ack 1
