# SPDX-License-Identifier: BSD-2-Clause
opened

host data 100
guest < P. 1:101 ack 1
guest > . 1 ack 5000 win 502
guest < . 101:101 ack 1
counter bad_ack 1
guest > . 1 ack 101 win 502
state open
