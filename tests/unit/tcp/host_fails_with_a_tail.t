# SPDX-License-Identifier: BSD-2-Clause
# The socket failed: bytes for it are dropped, and the guest's window opens again. The reset comes
# behind the data that the guest does not have yet.
opened

host data 100
guest < P. 1:101 ack 1
host takes 0
guest >> . 1:40001 ack 1 win 502
guest > P. 40001:65536 ack 1 win 502
guest < . 101:101 ack 65536 win 0
host breaks EPIPE
host writable
guest < . 101:101 ack 65536 win 512
guest > P. 65536:65546 ack 1 win 502
guest < . 101:101 ack 65546 win 512
guest > . 65546 ack 101 win 502
guest < R. 101:101 ack 65546
host resets
state none
