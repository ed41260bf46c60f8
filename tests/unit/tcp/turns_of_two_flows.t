# SPDX-License-Identifier: BSD-2-Clause
# Four frames of a flow, then four of the next.
set pool 65536
guest:0 > S 0 mss 1460 ws 14 sackok 1
host:0 open
host:0 opened
host:0 connected
guest:0 < S. 0:0 ack 1
guest:0 > . 1 ack 1 win 512
guest:1 > S 0 mss 1460 ws 14 sackok 1
host:1 open
host:1 opened
host:1 connected
guest:1 < S. 0:0 ack 1
guest:1 > . 1 ack 1 win 512
host:0 data 3000000
guest takes 65536
host:1 data 3000000
guest:1 < . 1:64241
guest:1 < P. 64241:65537
guest:0 >> . 1 ack taken win 512
guest:1 > . 1 ack 65537 win 512
guest:0 < . 65537:129777
guest:0 < . 129777:194017
guest:0 < P. 194017:196609
guest:1 < . 65537:129777
guest:1 < . 129777:194017
guest:1 < P. 194017:196609
guest:0 >> . 1 ack 196609 win 512
guest:1 > . 1 ack 196609 win 512
guest:0 < . 196609:260849
guest:0 < . 260849:325089
guest:0 < . 325089:389329
guest:0 < P. 389329:453569
guest:1 < . 196609:260849
guest:1 < . 260849:325089
guest:1 < . 325089:389329
guest:1 < P. 389329:453569
guest:0 < P. 453569:458753
guest:1 < P. 453569:458753
