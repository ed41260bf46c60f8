# SPDX-License-Identifier: BSD-2-Clause
# While bytes wait for the socket, the window's edge stays: rounding the field up would move it with
# each segment, and a guest that sends single bytes would have more here than was promised.
opened

host takes 0
guest > P. 1:2 ack 1 win 502
guest < . 1:1 ack 2 win 511
guest > P. 2:3 ack 1 win 502
guest < . 1:1 ack 3 win 511
guest >> . 3:40003 ack 1
guest > P. 40003:65600 ack 1
guest < . 1:1 ack 65536 win 0
host takes all
host writable
guest < . 1:1 ack 65536 win 512
host < 65535
