# SPDX-License-Identifier: BSD-2-Clause
# Data ahead of a gap is kept up to the window's edge, not beyond.
opened

guest > . 65436:65636 ack 1
guest < . 1:1 ack 1 sack 65436-65536
guest > . 65536:65537 ack 1
guest < . 1:1 ack 1
