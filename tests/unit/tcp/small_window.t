# SPDX-License-Identifier: BSD-2-Clause
# Less than a piece goes out only after a pause, if nothing is under way.
opened

guest > . 1 ack 1 win 2
host data 5000
+205 ms
guest < P. 1:257 ack 1
