# SPDX-License-Identifier: BSD-2-Clause
# A flow that both ends have closed stays until its last byte is with the host.
opened

host takes 0
guest > FP. 1:2 ack 1 win 502
guest < . 1:1 ack 3
host eof
guest < F. 1:1 ack 3
guest > . 3 ack 2 win 502
state open
host takes all
host writable
host < 1
host end
host close
state none
