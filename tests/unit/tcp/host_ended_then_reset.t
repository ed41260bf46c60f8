# SPDX-License-Identifier: BSD-2-Clause
# The peer has ended, and resets the connection later: the guest hears of it at once.
opened

host eof
guest < F. 1:1 ack 1
guest > . 1 ack 2 win 502
host reset
guest < R. 2:2 ack 1
host resets
state none
ended reset_by_host 1
