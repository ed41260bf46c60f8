# SPDX-License-Identifier: BSD-2-Clause
# The host's end comes after all data, however slow its socket is.
opened

host takes 10
guest > FP. 1:101 ack 1 win 502
guest < . 1:1 ack 102
host < 10
host takes all
host writable
host < 90
host end
