# SPDX-License-Identifier: BSD-2-Clause
# One duplicate is enough if few frames are out.
opened

host data 64240
guest < P. 1:64241 ack 1
guest > . 1 ack 1 win 502 sack 1449-64241
guest < . 1:1449 ack 1
guest > . 1 ack 64241 win 502
counter fast_retransmits 1
