# SPDX-License-Identifier: BSD-2-Clause
# An acknowledgement is not beyond the guest's window, if the guest took it back.
opened

host data 5000
guest < P. 1:5001 ack 1
guest > P. 1:11 ack 1 win 502
guest < . 5001:5001 ack 11
host < 10
guest > P. 11:21 ack 1 win 10
guest < . 1281:1281 ack 21
host < 10
guest > P. 21:31 ack 1 win 0
guest < . 1:1 ack 31
host < 10
