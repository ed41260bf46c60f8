# SPDX-License-Identifier: BSD-2-Clause
# A reset of the guest reaches a peer that has closed its half.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

host eof
guest < F. 1:1 ack 1
guest > R 1
host resets
state none
