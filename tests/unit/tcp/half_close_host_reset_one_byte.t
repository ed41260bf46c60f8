# SPDX-License-Identifier: BSD-2-Clause
# The host resets, with one byte before: the guest gets the data, then the reset.
opened

host data 1
guest < P. 1:2 ack 1
host reset
guest > . 1 ack 2 win 502
guest < R. 2:2 ack 1
host resets
state none
