# SPDX-License-Identifier: BSD-2-Clause
# The reset has the number behind all that was sent; the guest would ignore an older one.
opened

host data 5000
guest < P. 1:5001
+60 ms
guest < P. 3553:5001
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
guest < R. 5001:5001
host resets
state none
