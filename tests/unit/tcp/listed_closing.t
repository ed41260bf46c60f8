# SPDX-License-Identifier: BSD-2-Clause
# Both end at once. A byte that the host has not taken keeps the flow, also after both ends.
opened

host takes 0
host eof
guest < F. 1:1 ack 1
guest > FP. 1:2 ack 1 win 502
guest < . 2:2 ack 3
listed CLOSING recv 1
guest > . 3 ack 2 win 502
listed TIME_WAIT recv 1 out 0
host takes all
host writable
host < 1
host end
host close
listed TIME_WAIT recv 0 out 1
