# SPDX-License-Identifier: BSD-2-Clause
# A reset of the guest throws away what waits for the socket.
opened

host takes 0
guest > P. 1:101 ack 1 win 502
guest < . 1:1 ack 101
guest > R 101
host resets
state none
