# SPDX-License-Identifier: BSD-2-Clause
# A second short segment is acknowledged at once: with Nagle's algorithm, the guest may have more.
opened
awake

guest > P. 1:11 ack 1 win 502
host < 10
guest > P. 11:21 ack 1 win 502
guest < . 1:1 ack 21
host < 10
guest >> P. 21:31 ack 1 win 502
guest > P. 31:41 ack 1 win 502
guest < . 1:1 ack 41
host < 20
guest > . 41:1501 ack 1 win 502
guest < . 1:1 ack 1501
host < 1460
