# SPDX-License-Identifier: BSD-2-Clause
guest > S 0 mss 1460
host open
host opened
guest > R 77
state connect
counter bad_reset 1
