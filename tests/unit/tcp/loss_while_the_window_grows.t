# SPDX-License-Identifier: BSD-2-Clause
# A report ahead of a gap shows a loss, also if the guest's window has changed (RFC 6675 2): Linux lets it
# grow with each segment.
opened

host data 64240
guest < P. 1:64241 ack 1
guest > . 1 ack 1 win 503 sack 1449-64241
guest < . 1:1449 ack 1
counter fast_retransmits 1
guest > . 1 ack 64241 win 506
