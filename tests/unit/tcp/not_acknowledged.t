# SPDX-License-Identifier: BSD-2-Clause
# After twelve timeouts the flow is given up.
opened

host data 100
guest < P. 1:101
+60 ms
guest < P. 1:101
+210 ms
guest < P. 1:101
+410 ms
guest < P. 1:101
+810 ms
guest < P. 1:101
+1610 ms
guest < P. 1:101
+3210 ms
guest < P. 1:101
+6420 ms
guest < P. 1:101
+12820 ms
guest < P. 1:101
+25620 ms
guest < P. 1:101
+51220 ms
guest < P. 1:101
+60020 ms
guest < P. 1:101
+60020 ms
guest < P. 1:101
+60020 ms
guest < P. 1:101
+60020 ms
guest < R. 101:101
host resets
state none
ended not_acknowledged 1
