# SPDX-License-Identifier: BSD-2-Clause
# While the guest's interface is down, the SYN's tries are not counted.
emit EIO 400
host accepted
+31 s
state syn_sent
emit EIO 0
tap ready
+1001 ms
guest < S 0:0
