# SPDX-License-Identifier: BSD-2-Clause
# A FIN ahead of a gap is not lost, and comes after the data.
opened

guest > FP. 101:201 ack 1
guest < . 1:1 ack 1 sack 101-201
guest > . 1:101 ack 1
host < 200
host end
guest < . 1:1 ack 202
counter bad_fin 0
