# SPDX-License-Identifier: BSD-2-Clause
guest > S 0 mss 1460
host open
host opened
host failed EACCES
guest < unreachable prohibited
host resets
state none
ended prohibited 1
