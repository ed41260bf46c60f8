# SPDX-License-Identifier: BSD-2-Clause
# The same, if the host ends first.
opened

host eof
guest < F. 1:1 ack 1
listed FIN_WAIT_1
guest > . 1 ack 2 win 502
listed FIN_WAIT_2
guest > F. 1 ack 2 win 502
host end
guest < . 2:2 ack 2
host close
listed TIME_WAIT in 0 out 0
