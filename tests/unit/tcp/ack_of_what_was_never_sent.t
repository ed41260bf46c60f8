# SPDX-License-Identifier: BSD-2-Clause
# Nothing of a segment counts that acknowledges what was never sent (RFC 5961 5).
opened

host data 100
guest < P. 1:101 ack 1
guest > P. 1:11 ack 5000 win 502
guest < . 101:101 ack 1
counter bad_ack 1
guest > . 1 ack 101 win 502
state open
