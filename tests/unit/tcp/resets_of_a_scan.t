# SPDX-License-Identifier: BSD-2-Clause
# Segments of no connection get ten thousand resets in a second.
repeat 10000
guest > . 77 ack 5
guest < R 5:5
again
guest > . 77 ack 5
guest:2 > . 77 ack 5
guest:3 > . 77 ack 5
counter no_flow 10003
counter answers_held_back 3
+1 s
repeat 10000
guest > . 77 ack 5
guest < R 5:5
again
guest:2 > . 77 ack 5
counter answers_held_back 4
