# SPDX-License-Identifier: BSD-2-Clause
guest > S 0 mss 1460
host open
host opened
host failed EMFILE
guest < R. 0:0 ack 1
host resets
ended shortage 1
state none
