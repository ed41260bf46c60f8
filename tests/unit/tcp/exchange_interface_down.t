# SPDX-License-Identifier: BSD-2-Clause
# An acknowledgement that waits over a sleep waits for an interface that is down, without a spin.
opened

guest > P. 1:11 ack 1 win 502
guest < . 1:1 ack 11
host < 10
host data 10
guest < P. 1:11 ack 11
guest > P. 11:21 ack 11 win 502
guest < . 11:11 ack 21
host < 10
host data 10
guest < P. 11:21 ack 21
guest > P. 21:31 ack 21 win 502
guest < . 21:21 ack 31
host < 10
host data 10
guest < P. 21:31 ack 31
guest > P. 31:41 ack 31 win 502
host < 10
emit EIO 1000
+5 s
emit EIO 0
tap ready
guest < . 31:31 ack 41
