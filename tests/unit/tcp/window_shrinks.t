# SPDX-License-Identifier: BSD-2-Clause
# The tail waited 100 ms: the window is halved.
opened

guest > . 1:40001 ack 1
guest < . 1:1 ack 40001 win 1024
host < 40000
host takes 0
guest > . 40001:60001 ack 1
guest < . 1:1 ack 60001 win 867
+110 ms
host takes all
host writable
host < 20000
guest > . 60001:80001 ack 1
guest < . 1:1 ack 80001 win 711
host < 20000
guest > . 80001:100001 ack 1
guest < . 1:1 ack 100001 win 555
host < 20000
