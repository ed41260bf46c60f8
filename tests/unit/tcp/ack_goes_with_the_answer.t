# SPDX-License-Identifier: BSD-2-Clause
# While the worker does not sleep, a lone request is acknowledged by its answer. The sleep ends the wait.
opened
awake

guest > P. 1:11 ack 1 win 502
host < 10
host data 10
guest < P. 1:11 ack 11
guest > P. 11:21 ack 11 win 502
host < 10
guest > . 21 ack 11 win 400
sleep
guest < . 11:11 ack 21
