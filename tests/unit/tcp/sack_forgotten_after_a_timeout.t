# SPDX-License-Identifier: BSD-2-Clause
# After a timeout the guest's reports do not count: it may have dropped the data (RFC 2018 8).
set frame 0
opened

host data 2896
guest < . 1:1449
guest < P. 1449:2897
guest > . 1 ack 1 win 502 sack 1449-2897
guest < . 1:1449
+210 ms
guest < . 1:1449
guest > . 1 ack 1449 win 502
guest < P. 1449:2897
