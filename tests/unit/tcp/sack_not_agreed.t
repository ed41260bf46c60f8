# SPDX-License-Identifier: BSD-2-Clause
# Without the option in the SYN there are no blocks; the data is kept all the same.
guest > S 0 mss 1460 ws 7
host open
host opened
host connected
guest < S. 0:0 ack 1 no sackok
guest > . 1 ack 1 win 502
guest > . 101:201 ack 1
guest < . 1:1 ack 1 no sack
guest > . 1:101 ack 1
guest < . 1:1 ack 201
host < 200
# A guest may not send them either.
host data 10
guest < P. 1:11 ack 201
guest > . 201 ack 1 win 502 sack 2-5
counter bad_sack 1
