# SPDX-License-Identifier: BSD-2-Clause
# An end of the client's direction does not end the attempt.
host accepted
guest < S 0:0
host eof
state syn_sent
+1001 ms
guest < S 0:0
state syn_sent
