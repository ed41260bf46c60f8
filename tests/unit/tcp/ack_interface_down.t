# SPDX-License-Identifier: BSD-2-Clause
# An acknowledgement that has waited waits for an interface that is down, without a spin.
opened
awake

guest > P. 1:11 ack 1 win 502
host < 10
emit EIO 1000
sleep
+5 s
emit EIO 0
tap ready
guest < . 1:1 ack 11
