# SPDX-License-Identifier: BSD-2-Clause
# A frame that the kernel lost is sent again by the timer.
opened

emit ENOMEM 1
host data 100
+60 ms
guest < P. 1:101 ack 1
counter frames_lost 1
