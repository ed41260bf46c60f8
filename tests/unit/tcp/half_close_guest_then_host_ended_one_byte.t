# SPDX-License-Identifier: BSD-2-Clause
# The guest ends first, with one byte each way: freed when all is acknowledged and with the host.
opened

host takes 0
guest > FP. 1:2 ack 1 win 502
guest < . 1:1 ack 3
host data 1
guest < P. 1:2 ack 3
host eof
guest < F. 2:2 ack 3
guest > . 3 ack 3 win 502
state open
host takes all
host writable
host < 1
host end
host close
state none
