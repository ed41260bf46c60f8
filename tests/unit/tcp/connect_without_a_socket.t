# SPDX-License-Identifier: BSD-2-Clause
# The same, if not even the socket came: it is reset when it comes at last.
guest > S 0 mss 1460
host open
+181 s
state none
host opened
host resets
