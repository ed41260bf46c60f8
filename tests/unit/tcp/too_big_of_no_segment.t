# SPDX-License-Identifier: BSD-2-Clause
# The quoted number must be of a segment that is under way.
set frame 0
opened

too big 1 1280
host data 2000
guest < . 1:1449
guest < P. 1449:2001
guest > . 1 ack 1449 win 502
too big 0 1280
too big 1 1280
too big 1448 1280
too big 2001 1280
too big 100000000 1280
too big 2000 1280
guest < P. 1449:2001
host data 2000
guest < . 2001:3241
guest < P. 3241:4001
counter icmp_ignored 6
