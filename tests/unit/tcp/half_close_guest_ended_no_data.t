# SPDX-License-Identifier: BSD-2-Clause
# The guest has ended, without data in its tail: the host hears it
# behind the data, and goes on with windows and probes.
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
guest > . 2 ack 1 win 0
host data 100
+205 ms
guest < . 0:0 ack 2
guest > . 2 ack 1 win 502
guest < P. 1:101 ack 2
guest > . 2 ack 101 win 502
state open
