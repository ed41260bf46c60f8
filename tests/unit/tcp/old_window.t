# SPDX-License-Identifier: BSD-2-Clause
# A window counts only from a segment that is not older than the last one that set it (RFC 9293 3.10.7.4).
opened

guest > P. 101:201 ack 1 win 0
guest < . 1:1 ack 1 sack 101-201
guest > P. 1:101 ack 1 win 502
guest < . 1:1 ack 201
host < 200
host data 100
guest > . 201 ack 1 win 502
guest < P. 1:101 ack 201
