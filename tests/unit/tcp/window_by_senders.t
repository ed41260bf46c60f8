# SPDX-License-Identifier: BSD-2-Clause
# Many flows share what the guest's queue takes: with 300 senders a window is 16 MiB / 300.
senders 1 300 1
+100 ms
senders 1 300 2
+100 ms
opened

guest > . 1:40001 ack 1
guest < . 1:1 ack 40001 win 436
host < 40000
guest > . 40001:60001 ack 1
guest < . 1:1 ack 60001 win 436
host < 20000
guest > . 60001:80001 ack 1
guest < . 1:1 ack 80001 win 436
host < 20000
