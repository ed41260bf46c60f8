# SPDX-License-Identifier: BSD-2-Clause
# The guest has ended, with one byte in its tail: the host hears it
# behind the data, and goes on with windows and probes.
opened

host takes 0
guest > FP. 1:2 ack 1 win 502
guest < . 1:1 ack 3
state open
host takes all
host writable
host < 1
host end
host data 1
guest < P. 1:2 ack 3
guest > . 3 ack 2 win 502
guest > . 3 ack 2 win 0
host data 100
+205 ms
guest < . 1:1 ack 3
guest > . 3 ack 2 win 502
guest < P. 2:102 ack 3
guest > . 3 ack 102 win 502
state open
