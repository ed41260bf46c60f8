# SPDX-License-Identifier: BSD-2-Clause
# The guest has ended, with a full window in its tail: the host hears it
# behind the data, and goes on with windows and probes.
opened

host takes 0
guest >> . 1:40001 ack 1 win 502
guest > FP. 40001:65536 ack 1 win 502
guest < . 1:1 ack 65537
state open
host takes all
host writable
host < 65535
host end
host data 1048576
guest takes 64256
guest > . 65537 ack taken win 502
guest drains 984320 65537
guest > . 65537 ack 1048577 win 0
host data 100
+205 ms
guest < . 1048576:1048576 ack 65537
guest > . 65537 ack 1048577 win 502
guest < P. 1048577:1048677 ack 65537
guest > . 65537 ack 1048677 win 502
state open
