# SPDX-License-Identifier: BSD-2-Clause
# Acknowledgements do not answer acknowledgements: outside the window one in half a second.
opened

guest > . 900000 ack 1 win 502
guest < . 1:1 ack 1
guest > . 900000 ack 1 win 502
guest > . 900000 ack 1 win 502
counter outside_window 3
+500 ms
guest > . 900000 ack 1 win 502
guest < . 1:1 ack 1
