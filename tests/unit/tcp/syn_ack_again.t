# SPDX-License-Identifier: BSD-2-Clause
# The SYN-ACK is sent again, at the guest's SYN and by the timer.
guest > S 0 mss 1460
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > S 0 mss 1460
guest < S. 0:0 ack 1
+1001 ms
guest < S. 0:0 ack 1
+2001 ms
guest < S. 0:0 ack 1
+4010 ms
guest < S. 0:0 ack 1
+8010 ms
guest < S. 0:0 ack 1
counter retransmitted 5
+16020 ms
host resets
state none
