# SPDX-License-Identifier: BSD-2-Clause
# A flow answers a SYN also if it is older than the times can count.
opened

guest > S 5000 
guest < . 1:1 ack 1
+1 s
+7199 s
repeat 310
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
+7200 s
again
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
guest > S 5000
guest < . 1:1 ack 1
