# SPDX-License-Identifier: BSD-2-Clause
# The same with data for the guest, which nobody will read.
opened

guest > F. 1 ack 1 win 0
host end
guest < . 1:1 ack 2
host data 100
+201 ms
guest < . 0:0 ack 2
guest > . 2 ack 1 win 0
guest > R 2
host resets
state none
