# SPDX-License-Identifier: BSD-2-Clause
# A guest that answers each probe keeps its closed window as long as it likes.
opened

guest > . 1 ack 1 win 0
host data 100
+201 ms
repeat 14
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+405 ms
again
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
state open
