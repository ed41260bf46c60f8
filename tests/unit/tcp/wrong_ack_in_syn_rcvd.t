# SPDX-License-Identifier: BSD-2-Clause
guest > S 0 mss 1460
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 2
guest < R 2:2
state syn_rcvd
counter bad_ack 1
