# SPDX-License-Identifier: BSD-2-Clause
# Not a SYN: a reset with the number that it acknowledges.
guest > S 0 mss 1460
host open
host opened
guest > . 1 ack 9
guest < R 9:9
state connect
counter bad_ack 1
guest > F 1
guest < R. 0:0 ack 2
counter bad_flags 1
