# SPDX-License-Identifier: BSD-2-Clause
# Data that is not acknowledged is sent again, after ever longer times.
opened
host data 1000
guest < P. 1:1001 ack 1
+45 ms
+20 ms
guest < P. 1:1001
+200 ms
guest < P. 1:1001
+401 ms
guest < P. 1:1001
guest > . 1 ack 1001 win 502
counter tail_probes 1
counter timeouts 2
