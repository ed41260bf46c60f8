# SPDX-License-Identifier: BSD-2-Clause
guest > S 0 mss 1460
host open
refused prohibited
guest < unreachable prohibited
state none
ended prohibited 1
