# SPDX-License-Identifier: BSD-2-Clause
# A guest does not send into a window below its segments: it waits for its timer. So a
# window has room for two, and is told when a whole one fits again.
set mtu 65520
opened

guest > . 1:65481 ack 1
guest < . 1:1 ack 65481 win 2050
host < 65480
host takes 0
guest > . 65481:130961 ack 1
guest < . 1:1 ack 130961
guest > . 130961:196441 ack 1
guest < . 1:1 ack 196441
guest > . 196441:261921 ack 1
guest < . 1:1 ack 261921 win 515
guest > . 261921:327401 ack 1
guest < . 1:1 ack 327401 win 4
host takes 60000
host writable
host < 60000
host takes 5680
host writable
guest < . 1:1 ack 327401 win 517
host < 5680
