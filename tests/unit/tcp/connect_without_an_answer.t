# SPDX-License-Identifier: BSD-2-Clause
# A host that gives no result at all must not keep the flow. The guest has given up before.
guest > S 0 mss 1460
host open
host opened
+179 s
state connect
+1004 ms
host resets
state none
ended timed_out 1
