# SPDX-License-Identifier: BSD-2-Clause
# All flows together get a hundred challenges in a second.
senders 1 110 1
repeat 100
guest:* > S 5000
guest:* < . 1:1 ack 2
again
guest:101 > S 5000
guest:102 > S 5000
guest:103 > S 5000
guest:104 > S 5000
guest:105 > S 5000
guest:106 > S 5000
guest:107 > S 5000
guest:108 > S 5000
guest:109 > S 5000
guest:110 > S 5000
counter challenges 100
counter answers_held_back 10
+1 s
guest:110 > S 5000
guest:110 < . 1:1 ack 2
