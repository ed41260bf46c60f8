# SPDX-License-Identifier: BSD-2-Clause
guest > S 0 mss 1460
host open
host opened
guest > R 0
host resets
state none
