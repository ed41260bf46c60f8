# SPDX-License-Identifier: BSD-2-Clause
# The end of the guest's data is known though a gap is before it: data beyond the end is not taken.
opened

guest > FP. 101:201 ack 1
guest < . 1:1 ack 1 sack 101-201
guest > P. 151:301 ack 1
guest < . 1:1 ack 1 sack 101-201
guest > P. 201:301 ack 1
counter bad_fin 2
guest > . 1:101 ack 1
host < 200
host end
guest < . 1:1 ack 202
