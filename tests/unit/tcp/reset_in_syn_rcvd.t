# SPDX-License-Identifier: BSD-2-Clause
# In SYN_RCVD a reset must be exact; in the window it is challenged (RFC 5961 3.2).
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > R 900000
guest > R 0
counter bad_reset 2
guest > R 65535
guest < . 1:1 ack 1
counter bad_reset 3
counter challenges 1
state syn_rcvd
guest > R 1
host resets
state none
