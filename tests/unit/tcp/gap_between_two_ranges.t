# SPDX-License-Identifier: BSD-2-Clause
# A segment between two ranges makes one of them.
opened

guest > . 1001:2001 ack 1
guest < . 1:1 ack 1 sack 1001-2001
guest > . 3001:4001 ack 1
guest < . 1:1 ack 1 sack 3001-4001
guest > . 2001:3001 ack 1
guest < . 1:1 ack 1 sack 1001-4001
