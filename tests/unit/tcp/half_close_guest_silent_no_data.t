# SPDX-License-Identifier: BSD-2-Clause
# A guest that says nothing is asked after two hours; four questions without an answer end the flow.
opened

+7201 s
guest < . 0:0 ack 1
repeat 3
+15010 ms
guest < . 0:0 ack 1
again
+15010 ms
guest < R. 1:1 ack 1
host resets
state none
