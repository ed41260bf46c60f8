# SPDX-License-Identifier: BSD-2-Clause
# A scan of closed ports gets a hundred resets in a second.
repeat 100
guest:* > . 77 ack 5
guest:* < R 5:5
again
guest:101 > . 77 ack 5
guest:102 > . 77 ack 5
guest:103 > . 77 ack 5
counter no_flow 103
counter answers_held_back 3
+1 s
repeat 100
guest:* > . 77 ack 5
guest:* < R 5:5
again
guest:101 > . 77 ack 5
counter answers_held_back 4
