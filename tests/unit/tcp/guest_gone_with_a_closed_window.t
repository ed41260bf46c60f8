# SPDX-License-Identifier: BSD-2-Clause
# The guest has forgotten a half-closed flow: its closed window is not probed any more, and the peer
# gets the rest of the tail.
opened

host takes 0
guest > FP. 1:101 ack 1 win 0
guest < . 1:1 ack 102
host data 100
+75010 ms
repeat 8
guest < . 0:0 ack 102
again
guest < . 0:0 ack 102
guest > R 102
+300 s
host takes all
host writable
host < 100
host end
host close
state none
