# SPDX-License-Identifier: BSD-2-Clause
# Data that the host sent before its reset arrives before the reset.
opened

host data 100
guest < P. 1:101 ack 1
host reset
guest > . 1 ack 101 win 502
guest < R. 101:101 ack 1
host resets
state none
ended reset_by_host 1
