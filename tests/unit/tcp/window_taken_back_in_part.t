# SPDX-License-Identifier: BSD-2-Clause
# The guest takes back a part of its window: what still fits is sent again by the timer.
opened

host data 10000
guest < P. 1:10001 ack 1
guest > P. 1:2 ack 1 win 502
guest < . 10001:10001 ack 2
host < 1
guest > P. 2:3 ack 1 win 30
guest < . 3841:3841 ack 3
host < 1
+60 ms
guest < P. 8553:10001
+205 ms
guest < . 1:1449
guest > . 3 ack 1449 win 30
guest < . 1449:4345
guest > . 3 ack 4345 win 502
guest < P. 4345:10001
