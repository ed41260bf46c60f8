# SPDX-License-Identifier: BSD-2-Clause
# Two pieces are sent again, and the guest got one of them twice: the other was lost, and the
# window stays halved.
opened

host data 64240
guest < P. 1:64241 ack 1
guest > . 1 ack 1 win 502 sack 4345-64241 sack 1449-2897
guest < . 1:1449 ack 1
guest < . 2897:4345 ack 1
counter fast_retransmits 1
guest > . 1 ack 64241 win 502
guest > . 1 ack 64241 win 502 sack 1-1449

host data 64240
guest < P. 64241:96361 ack 1
