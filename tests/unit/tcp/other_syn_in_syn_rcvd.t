# SPDX-License-Identifier: BSD-2-Clause
# Another SYN before the handshake has ended is challenged.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > S 500 mss 1460
guest < . 1:1 ack 1
state syn_rcvd
