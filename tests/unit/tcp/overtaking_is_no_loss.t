# SPDX-License-Identifier: BSD-2-Clause
# The guest reports that it got twice what was sent again: nothing was lost, frames overtook
# each other (RFC 2883, RFC 3708). The window is what it was, and one report ahead of a gap is
# not enough from then on.
opened

host data 64240
guest < P. 1:64241 ack 1
guest > . 1 ack 1 win 502 sack 1449-64241
guest < . 1:1449 ack 1
counter fast_retransmits 1
guest > . 1 ack 64241 win 502
guest > . 1 ack 64241 win 502 sack 1-1449

host data 64240
guest < P. 64241:128481 ack 1
guest > . 1 ack 64241 win 502 sack 65689-67137
counter fast_retransmits 1
guest > . 1 ack 128481 win 502
