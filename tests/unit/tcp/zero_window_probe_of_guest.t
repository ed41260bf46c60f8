# SPDX-License-Identifier: BSD-2-Clause
# A probe of our closed window is answered, and its byte not taken.
opened

host takes 0
guest >> . 1:40001 ack 1
guest > P. 40001:65536 ack 1
guest < . 1:1 ack 65536 win 0
guest > . 65536:65537 ack 1
guest < . 1:1 ack 65536 win 0
