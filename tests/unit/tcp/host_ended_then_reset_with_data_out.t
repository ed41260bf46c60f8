# SPDX-License-Identifier: BSD-2-Clause
# The same with data that the guest does not have yet, which comes before the reset.
opened

host data 100
guest < P. 1:101 ack 1
host eof
guest < F. 101:101 ack 1
host reset
guest > . 1 ack 101 win 502
guest < R. 102:102 ack 1
host resets
state none
