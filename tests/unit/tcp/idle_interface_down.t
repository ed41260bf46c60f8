# SPDX-License-Identifier: BSD-2-Clause
# A guest whose interface is down is not taken for one that does not answer.
opened

host eof
guest < F. 1:1 ack 1
guest > . 1 ack 2 win 502
emit EIO 100000
+600 s
state open
emit EIO 0
+1 s
guest < . 2:2 ack 1
guest > . 1 ack 2 win 502
state open
