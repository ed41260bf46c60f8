# SPDX-License-Identifier: BSD-2-Clause
host accepted
guest < S 0:0
+1001 ms
guest < S 0:0
+2001 ms
guest < S 0:0
+4010 ms
guest < S 0:0
+8010 ms
guest < S 0:0
+16020 ms
host resets
state none
ended no_answer 1
