# SPDX-License-Identifier: BSD-2-Clause
# An acknowledgement of data that was sent twice is no sample of the round trip (Karn): the next
# timeout is as short as before.
opened

host data 100
guest < P. 1:101
+60 ms
guest < P. 1:101
+210 ms
guest < P. 1:101
+300 ms
guest > . 1 ack 101 win 502
host data 100
guest < P. 101:201
+60 ms
guest < P. 101:201
+210 ms
guest < P. 101:201
