# SPDX-License-Identifier: BSD-2-Clause
# A worker that has always something to do sends what has waited for 50 us.
opened
awake

guest > P. 1:11 ack 1 win 502
host < 10
+1 ms
guest < . 1:1 ack 11
