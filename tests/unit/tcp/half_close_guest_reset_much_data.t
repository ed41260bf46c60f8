# SPDX-License-Identifier: BSD-2-Clause
# The guest resets, with 1 MiB each way: all is thrown away, and the host gets the reset.
opened

host takes 0
guest >> . 1:40001 ack 1 win 502
guest > P. 40001:65536 ack 1 win 502
guest < . 1:1 ack 65536
host data 1048576
guest takes 64256
guest > R 65536
host resets
state none
host data 1
host reset
state none
