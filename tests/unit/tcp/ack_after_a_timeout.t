# SPDX-License-Identifier: BSD-2-Clause
# An acknowledgement has the number behind all that was sent, though the timeout sends again from the
# start: a guest that has the data would take an older number for an old segment, and ignore it.
opened

host data 5000
guest < P. 1:5001 ack 1
+60 ms
guest < P. 3553:5001 ack 1
+205 ms
guest < . 1:1449 ack 1
guest > P. 1:11 ack 1 win 502
guest < . 5001:5001 ack 11
host < 10
