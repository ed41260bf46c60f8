# SPDX-License-Identifier: BSD-2-Clause
# A FIN is sent again like data, and with it.
opened

host data 100
guest < P. 1:101
host eof
guest < F. 101:101
+70 ms
guest < FP. 1:101
+210 ms
guest < FP. 1:101
guest > . 1 ack 102 win 502
