# SPDX-License-Identifier: BSD-2-Clause
# The same while the socket has not taken all: it gets the rest first.
opened

host takes 0
guest > FP. 1:101 ack 1 win 502
guest < . 1:1 ack 102
+75010 ms
guest < . 0:0 ack 102
guest > R 102
state open
+300 s
host takes all
host writable
host < 100
host end
host close
state none
