# SPDX-License-Identifier: BSD-2-Clause
# The guest ends first, without data each way: freed when all is acknowledged and with the host.
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
host eof
guest < F. 1:1 ack 2
guest > . 2 ack 2 win 502
host close
state none
