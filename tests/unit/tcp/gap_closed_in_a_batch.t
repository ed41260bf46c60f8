# SPDX-License-Identifier: BSD-2-Clause
# A batch closes a gap, and goes on: each byte goes to the host once.
opened

guest > . 101:201 ack 1 win 502
guest < . 1:1 ack 1 sack 101-201
guest >> . 1:101 ack 1 win 502
guest >> . 201:301 ack 1 win 502
guest > . 301:401 ack 1 win 502
guest < . 1:1 ack 401 no sack
host < 400
