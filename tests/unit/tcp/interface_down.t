# SPDX-License-Identifier: BSD-2-Clause
# While the guest's interface is down nothing backs off.
opened

emit EIO 1000
host data 100
+5000 ms
emit EIO 0
tap ready
guest < P. 1:101 ack 1
