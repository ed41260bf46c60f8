# SPDX-License-Identifier: BSD-2-Clause
# A guest near the edge of its window does not wait for it to move, also after a short segment.
set mtu 65520
opened
awake

guest > P. 1:40001 ack 1 win 502
guest < . 1:1 ack 40001
host < 40000
guest > P. 40001:80001 ack 1 win 502
host < 40000
sleep
guest < . 1:1 ack 80001
