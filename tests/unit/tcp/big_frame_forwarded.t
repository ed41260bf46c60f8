# SPDX-License-Identifier: BSD-2-Clause
# A router in the guest has lowered the TTL: it would cut long frames in software.
set big 130320
guest > S 0 mss 1460 ws 10 sackok 1 ttl 63
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 1000 ttl 63
host data 64240
guest < P. 1:64241
guest > . 1 ack 64241 win 1000 ttl 63
host data 128480
guest < . 64241:128481
guest < P. 128481:192721
guest > . 1 ack 192721 win 1000 ttl 63
