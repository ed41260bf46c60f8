# SPDX-License-Identifier: BSD-2-Clause
# The record of a gap is free again when the flow has ended: there are 8192.
repeat 8200
opened
guest > . 101:102 ack 1
guest < . 1:1 ack 1 sack 101-102
guest > R 1
host resets
again
counter gap_dropped 0
