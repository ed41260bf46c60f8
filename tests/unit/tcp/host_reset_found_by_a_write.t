# SPDX-License-Identifier: BSD-2-Clause
opened

host breaks EPIPE
guest > P. 1:101 ack 1 win 502
guest < R. 1:1 ack 101
host resets
state none
ended reset_by_host 1
