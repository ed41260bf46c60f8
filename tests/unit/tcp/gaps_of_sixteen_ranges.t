# SPDX-License-Identifier: BSD-2-Clause
# Sixteen ranges are kept ahead of a gap. One more is dropped, unless it joins one.
opened

guest >> . 101:102 ack 1
guest >> . 201:202 ack 1
guest >> . 301:302 ack 1
guest >> . 401:402 ack 1
guest >> . 501:502 ack 1
guest >> . 601:602 ack 1
guest >> . 701:702 ack 1
guest >> . 801:802 ack 1
guest >> . 901:902 ack 1
guest >> . 1001:1002 ack 1
guest >> . 1101:1102 ack 1
guest >> . 1201:1202 ack 1
guest >> . 1301:1302 ack 1
guest >> . 1401:1402 ack 1
guest >> . 1501:1502 ack 1
guest > . 1601:1602 ack 1
guest < . 1:1 ack 1 sack 1601-1602
counter gap_dropped 0
guest > . 1701:1702 ack 1
guest < . 1:1 ack 1
counter gap_dropped 1
guest > . 51:52 ack 1
guest < . 1:1 ack 1
counter gap_dropped 2
guest > . 1602:1603 ack 1
guest < . 1:1 ack 1 sack 1601-1603
guest > . 100:101 ack 1
guest < . 1:1 ack 1 sack 100-102
guest > . 102:201 ack 1
guest < . 1:1 ack 1 sack 100-202
counter gap_dropped 2
guest > . 1:100 ack 1
guest < . 1:1 ack 202
host < 201
