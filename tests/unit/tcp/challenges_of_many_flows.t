# SPDX-License-Identifier: BSD-2-Clause
# A challenge of one flow takes nothing from others: an exact limit of all flows together tells
# a sender of forged segments which of them was challenged (CVE-2016-5696).
senders 1 110 1
repeat 110
guest:* > S 5000
guest:* < . 1:1 ack 2
again
guest:110 > S 5000
counter challenges 110
# The second one of flow 110 was too early.
counter answers_held_back 1
+1 s
guest:110 > S 5000
guest:110 < . 1:1 ack 2
