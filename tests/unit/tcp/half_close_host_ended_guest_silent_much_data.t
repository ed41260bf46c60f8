# SPDX-License-Identifier: BSD-2-Clause
# The host has ended, with 1 MiB before, and the guest says nothing: its timeouts end the flow. The FIN is
# behind bytes that no window has let in.
opened

host data 1048576
guest takes 64256
host eof
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
