# SPDX-License-Identifier: BSD-2-Clause
# The block of the latest segment comes first, four at most (RFC 2018 4).
opened

guest > . 101:201 ack 1
guest < . 1:1 ack 1 sack 101-201
guest > . 301:401 ack 1
guest < . 1:1 ack 1 sack 301-401 sack 101-201
guest > . 501:601 ack 1
guest < . 1:1 ack 1 sack 501-601 sack 101-201 sack 301-401
guest > . 701:801 ack 1
guest < . 1:1 ack 1 sack 701-801 sack 101-201 sack 301-401 sack 501-601
guest > . 901:1001 ack 1
guest < . 1:1 ack 1 sack 901-1001 sack 101-201 sack 301-401 sack 501-601
guest > . 401:451 ack 1
guest < . 1:1 ack 1 sack 301-451 sack 501-601 sack 701-801 sack 901-1001
# What is there already is the latest too.
guest > . 101:151 ack 1
guest < . 1:1 ack 1 sack 101-201 sack 301-451 sack 501-601 sack 701-801
counter gap_dropped 0
# Every segment has them while there is a gap.
host data 10
guest < P. 1:11 ack 1 sack 101-201
guest > . 1:101 ack 11
guest < . 11:11 ack 201 sack 301-451
host < 200
