# SPDX-License-Identifier: BSD-2-Clause
# Data ahead of a gap is kept and reported, and the gap's data brings it all to the host.
opened
guest > . 1001:2001 ack 1
guest < . 1:1 ack 1 sack 1001-2001
guest > . 3001:4001 ack 1
guest < . 1:1 ack 1 sack 3001-4001 sack 1001-2001
guest > . 1:1001 ack 1
guest < . 1:1 ack 2001 sack 3001-4001
host < 2000
guest > . 2001:3001 ack 1
guest < . 1:1 ack 4001 no sack
host < 2000
