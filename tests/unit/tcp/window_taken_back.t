# SPDX-License-Identifier: BSD-2-Clause
# The guest takes back a window in use, and drops what was under way: all is sent again, once.
opened

host data 10000
guest < P. 1:10001 ack 1
guest > . 1 ack 1 win 0
guest > . 1 ack 1 win 502
guest < P. 1:10001 ack 1
guest > . 1 ack 5001 win 502
guest > . 1 ack 10001 win 502
