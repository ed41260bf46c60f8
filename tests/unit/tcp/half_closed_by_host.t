# SPDX-License-Identifier: BSD-2-Clause
# The host has ended: the guest's data goes on.
opened

host eof
guest < F. 1:1 ack 1
guest > . 1:101 ack 2 win 502
guest < . 2:2 ack 101
host < 100
guest > FP. 101:201 ack 2 win 502
host < 100
host end
guest < . 2:2 ack 202
host close
state time_wait
