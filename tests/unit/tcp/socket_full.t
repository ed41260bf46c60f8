# SPDX-License-Identifier: BSD-2-Clause
# The socket takes a part: the rest waits, the window shrinks, and its opening is told.
opened

host takes 1000
guest >> . 1:20001 ack 1
guest >> . 20001:40001 ack 1
guest > P. 40001:60001 ack 1
guest < . 1:1 ack 60001
host < 1000
host takes all
host writable
host < 59000
