# SPDX-License-Identifier: BSD-2-Clause
# A flow that ends has no acknowledgement that waits.
opened
awake

guest > P. 1:11 ack 1 win 502
host < 10
guest > R. 11 ack 1
host resets
state none
sleep
+1 s
