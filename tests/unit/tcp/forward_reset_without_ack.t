# SPDX-License-Identifier: BSD-2-Clause
# RFC 9293 3.10.7.3: a reset that does not acknowledge the SYN is nothing.
host accepted
guest < S 0:0
guest > R 0
counter bad_reset 1
state syn_sent
guest > R. 0 ack 2
counter bad_ack 1
state syn_sent
guest > . 0 ack 1
counter bad_flags 1
state syn_sent
guest > R. 0 ack 1
host resets
state none
