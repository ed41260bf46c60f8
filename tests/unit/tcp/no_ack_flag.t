# SPDX-License-Identifier: BSD-2-Clause
# A segment without the ACK flag is dropped.
opened

guest > P 1:101
guest > F 1
state open
guest > P. 1:101 ack 1
guest < . 1:1 ack 101
host < 100
counter bad_flags 2
