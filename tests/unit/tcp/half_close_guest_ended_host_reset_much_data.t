# SPDX-License-Identifier: BSD-2-Clause
# The guest has ended and the host resets, with 1 MiB before.
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
host data 1048576
guest takes 64256
host reset
guest > . 2 ack taken win 502
guest drains 984320 2
guest < R. 1048577:1048577 ack 2
host resets
state none
