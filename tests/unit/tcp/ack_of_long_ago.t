# SPDX-License-Identifier: BSD-2-Clause
# Nor of one that acknowledges less than the largest window ago; a merely old one is taken.
opened

host data 60000
guest takes 60000
guest > . 1 ack taken win 502
host data 60000
guest takes 60000
guest > . 1 ack taken win 502
guest > P. 1:11 ack 50000 win 502
guest < . 120001:120001 ack 1
counter bad_ack 1
guest > P. 1:11 ack 100000 win 502
guest < . 120001:120001 ack 11
host < 10
