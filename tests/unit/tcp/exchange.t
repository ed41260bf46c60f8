# SPDX-License-Identifier: BSD-2-Clause
# After three requests with quick answers, the acknowledgement of the fourth waits over a sleep, for 2 ms.
opened

guest > P. 1:11 ack 1 win 502
guest < . 1:1 ack 11
host < 10
host data 10
guest < P. 1:11 ack 11
guest > P. 11:21 ack 11 win 502
guest < . 11:11 ack 21
host < 10
host data 10
guest < P. 11:21 ack 21
guest > P. 21:31 ack 21 win 502
guest < . 21:21 ack 31
host < 10
host data 10
guest < P. 21:31 ack 31
guest > P. 31:41 ack 31 win 502
host < 10
+1 ms
host data 10
guest < P. 31:41 ack 41
guest > P. 41:51 ack 41 win 502
host < 10
+2 ms
guest < . 41:41 ack 51
host data 10
guest < P. 41:51 ack 51
# The late one has ended that.
guest > P. 51:61 ack 51 win 502
guest < . 51:51 ack 61
host < 10
