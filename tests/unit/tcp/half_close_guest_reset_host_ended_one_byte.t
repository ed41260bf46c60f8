# SPDX-License-Identifier: BSD-2-Clause
# The guest resets, the host has ended, with one byte each way: all is thrown away,
# and the host gets the reset.
opened

host takes 0
guest > P. 1:2 ack 1 win 502
guest < . 1:1 ack 2
host data 1
guest < P. 1:2 ack 2
host eof
guest < F. 2:2 ack 2
guest > R 2
host resets
state none
