# SPDX-License-Identifier: BSD-2-Clause
# The socket comes after the guest has given up: it is closed.
guest > S 0 mss 1460
host open
guest > R 1
state none
host opened
host resets
