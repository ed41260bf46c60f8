# SPDX-License-Identifier: BSD-2-Clause
# The guest repeats its SYN-ACK: our acknowledgement was lost.
host accepted
guest < S 0:0
guest > S. 0 ack 1 mss 1460
guest < . 1:1 ack 1
guest > S. 0 ack 1 mss 1460
guest < . 1:1 ack 1
state open
