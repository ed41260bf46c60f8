# SPDX-License-Identifier: BSD-2-Clause
# What was read before the reset of the peer is delivered first.
opened

host data 1
guest < P. 1:2 ack 1
host reset
guest > . 1 ack 2 win 502
guest < R. 2:2 ack 1
host resets
state none
