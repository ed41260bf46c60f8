# SPDX-License-Identifier: BSD-2-Clause
# The socket takes a little at a time: the edge does not move in small steps, and nothing is said.
opened

host takes 0
guest >> . 1:40001 ack 1
guest > P. 40001:65536 ack 1
guest < . 1:1 ack 65536 win 0
host takes 1000
host writable
host < 1000
host takes 458
host writable
host < 458
host takes 1
host writable
guest < . 1:1 ack 65536 win 11
host < 1
