# SPDX-License-Identifier: BSD-2-Clause
# A socket fails without a reset of its peer. The read, the write, or the look at a half-closed
# socket finds the error. EPIPE is the reset of a peer that had ended.
opened
opened:1
opened:2

host data 10
guest < P. 1:11 ack 1
guest > . 1 ack 11 win 502
host lost ETIMEDOUT
guest < R. 11:11 ack 1
host resets
ended host_error 1

host:1 lost EPIPE
guest:1 < R. 1:1 ack 1
host:1 resets
ended reset_by_host 1

host:2 eof
guest:2 < F. 1:1 ack 1
guest:2 > . 1 ack 2 win 502
host:2 lost ETIMEDOUT
guest:2 < R. 2:2 ack 1
host:2 resets
ended host_error 2

opened:3
host:3 breaks EHOSTUNREACH
guest:3 > P. 1:11 ack 1 win 502
guest:3 < R. 1:1 ack 11
host:3 resets
ended host_error 3
