# SPDX-License-Identifier: BSD-2-Clause
# Blocks of what was not sent, of what is acknowledged, and of nothing are not believed.
opened

host data 10000
guest < P. 1:10001
guest > . 1 ack 1 win 502 sack 9001-20001 sack 1-500 sack 400-300 sack 500-500
guest < P. 1:10001
counter fast_retransmits 1
counter bad_sack 4
# The first block may tell of a duplicate, and is then no lie.
guest > . 1 ack 501 win 502 sack 1-500
counter bad_sack 4
