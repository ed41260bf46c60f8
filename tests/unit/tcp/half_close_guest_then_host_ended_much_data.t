# SPDX-License-Identifier: BSD-2-Clause
# The guest ends first, with 1 MiB each way: freed when all is acknowledged and with the host.
opened

host takes 0
guest >> . 1:40001 ack 1 win 502
guest > FP. 40001:65536 ack 1 win 502
guest < . 1:1 ack 65537
host data 1048576
guest takes 64256
host eof
guest > . 65537 ack taken win 502
guest drains 984320 65537
guest > . 65537 ack 1048578 win 502
state open
host takes all
host writable
host < 65535
host end
host close
state none
