# SPDX-License-Identifier: BSD-2-Clause
# A guest that says nothing, with 1 MiB each way.
opened

host takes 0
guest >> . 1:40001 ack 1 win 502
guest > P. 40001:65536 ack 1 win 502
guest < . 1:1 ack 65536
host data 1048576
guest takes 64256
+60 ms
guest < P. 62809:64257
+210 ms
guest < . 1:1449
+410 ms
guest < . 1:1449
+810 ms
guest < . 1:1449
+1610 ms
guest < . 1:1449
+3210 ms
guest < . 1:1449
+6420 ms
guest < . 1:1449
+12820 ms
guest < . 1:1449
+25620 ms
guest < . 1:1449
+51220 ms
guest < . 1:1449
repeat 3
+60020 ms
guest < . 1:1449
again
+60020 ms
guest < R. 64257:64257
host resets
state none
ended not_acknowledged 1
