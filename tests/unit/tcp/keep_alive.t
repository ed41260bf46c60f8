# SPDX-License-Identifier: BSD-2-Clause
# The guest's keep-alive is answered, and kept up on the host's side.
guest > S 0 mss 1460 ws 7 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 502

guest > . 0 ack 1
host keepalive
guest < . 1:1 ack 1
guest > . 0:1 ack 1
guest < . 1:1 ack 1
