# SPDX-License-Identifier: BSD-2-Clause
# Both ends have closed, and the host takes the last bytes slowly. The guest is not asked any more:
# it has forgotten the connection, and its reset would lose the bytes.
opened

host takes 0
guest >> . 1:40001 ack 1
guest > FP. 40001:65535 ack 1 win 502
guest < . 1:1 ack 65536
host eof
guest < F. 1:1 ack 65536
guest > . 65536 ack 2 win 502
+300 s
state open
host takes 40000
host writable
host < 40000
+300 s
host takes all
host writable
host < 25534
host end
host close
state none
