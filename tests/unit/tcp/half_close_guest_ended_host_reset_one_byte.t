# SPDX-License-Identifier: BSD-2-Clause
# The guest has ended and the host resets, with one byte before.
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
host data 1
guest < P. 1:2 ack 2
host reset
guest > . 2 ack 2 win 502
guest < R. 2:2 ack 2
host resets
state none
