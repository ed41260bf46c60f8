# SPDX-License-Identifier: BSD-2-Clause
# The guest's FIN is acknowledged by the peer's, which often comes at once.
opened
awake

guest > F. 1 ack 1 win 502
host end
host eof
guest < F. 1:1 ack 2
guest > . 2 ack 2 win 502
host close
state none
