# SPDX-License-Identifier: BSD-2-Clause
# A timed segment is one sample; the next acknowledgement needs a new one.
opened

host data 100
guest < P. 1:101
guest > . 1 ack 101 win 502
+5 s
host data 100
guest < P. 101:201
guest > . 1 ack 201 win 502
host data 100
guest < P. 201:301
+60 ms
guest < P. 201:301
+205 ms
guest < P. 201:301
