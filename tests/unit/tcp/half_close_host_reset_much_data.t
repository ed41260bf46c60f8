# SPDX-License-Identifier: BSD-2-Clause
# The host resets, with 1 MiB before: the guest gets the data, then the reset.
opened

host data 1048576
guest takes 64256
host reset
guest > . 1 ack taken win 502
guest drains 984320 1
guest < R. 1048577:1048577 ack 1
host resets
state none
