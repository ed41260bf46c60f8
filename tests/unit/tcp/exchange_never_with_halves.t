# SPDX-License-Identifier: BSD-2-Clause
# A guest with Nagle's algorithm that writes twice for a request: each half is acknowledged before the sleep.
opened

guest > P. 1:11 ack 1 win 502
guest < . 1:1 ack 11
host < 10
guest > P. 11:21 ack 1 win 502
guest < . 1:1 ack 21
host < 10
host data 10
guest < P. 1:11 ack 21
guest > P. 21:31 ack 11 win 502
guest < . 11:11 ack 31
host < 10
guest > P. 31:41 ack 11 win 502
guest < . 11:11 ack 41
host < 10
host data 10
guest < P. 11:21 ack 41
guest > P. 41:51 ack 21 win 502
guest < . 21:21 ack 51
host < 10
guest > P. 51:61 ack 21 win 502
guest < . 21:21 ack 61
host < 10
host data 10
guest < P. 21:31 ack 61
guest > P. 61:71 ack 31 win 502
guest < . 31:31 ack 71
host < 10
guest > P. 71:81 ack 31 win 502
guest < . 31:31 ack 81
host < 10
host data 10
guest < P. 31:41 ack 81
guest > P. 81:91 ack 41 win 502
guest < . 41:41 ack 91
host < 10
guest > P. 91:101 ack 41 win 502
guest < . 41:41 ack 101
host < 10
host data 10
guest < P. 41:51 ack 101
