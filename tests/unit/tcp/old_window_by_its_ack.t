# SPDX-License-Identifier: BSD-2-Clause
# The same number, and an older acknowledgement: the window is old.
opened

host data 100
guest < P. 1:101
host data 100
guest < P. 101:201
guest > . 1 ack 201 win 0
guest > . 1 ack 101 win 502
host data 100
guest > . 1 ack 201 win 502
guest < P. 201:301
