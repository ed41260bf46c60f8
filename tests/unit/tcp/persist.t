# SPDX-License-Identifier: BSD-2-Clause
# A closed window of the guest is probed with an old number, and never given up while it answers.
opened

guest > . 1 ack 1 win 0
host data 100
+201 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 0
+401 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
guest < P. 1:101 ack 1
