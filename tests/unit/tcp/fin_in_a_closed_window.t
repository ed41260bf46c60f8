# SPDX-License-Identifier: BSD-2-Clause
# The end waits for the window as data does, and the probe finds it open.
opened

guest > . 1 ack 1 win 0
host eof
+205 ms
guest < . 0:0 ack 1
guest > . 1 ack 1 win 502
guest < F. 1:1 ack 1
