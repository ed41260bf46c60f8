# SPDX-License-Identifier: BSD-2-Clause
# A segment is never longer than the MTU, whatever the guest asks for.
set mtu 1280
set frame 0
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

host data 1300
guest < . 1:1241
guest < P. 1241:1301
