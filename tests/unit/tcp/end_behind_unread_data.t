# SPDX-License-Identifier: BSD-2-Clause
# An end that came with data is found, though its edge comes once.
opened

guest > . 1 ack 1 win 0
host data 100
host eof
guest > . 1 ack 1 win 502
guest < FP. 1:101 ack 1
