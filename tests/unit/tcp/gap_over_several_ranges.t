# SPDX-License-Identifier: BSD-2-Clause
# A segment over several ranges and gaps fills what is missing, with each byte once.
opened

guest >> . 101:201 ack 1
guest > . 301:401 ack 1
guest < . 1:1 ack 1 sack 301-401 sack 101-201
guest > . 51:501 ack 1
guest < . 1:1 ack 1 sack 51-501 no x
guest > . 1:601 ack 1
guest < . 1:1 ack 601 no sack
host < 600
