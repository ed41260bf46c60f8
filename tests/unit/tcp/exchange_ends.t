# SPDX-License-Identifier: BSD-2-Clause
# A FIN, and a second request before the answer, end what three exchanges have shown.
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
guest > P. 41:51 ack 31 win 502
guest < . 31:31 ack 51
host < 10
host data 10
guest < P. 31:41 ack 51
guest > P. 51:61 ack 41 win 502
guest < . 41:41 ack 61
host < 10
host data 10
guest < P. 41:51 ack 61
guest > F. 61 ack 51 win 502
host end
guest < . 51:51 ack 62
