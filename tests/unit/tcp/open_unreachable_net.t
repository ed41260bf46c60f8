# SPDX-License-Identifier: BSD-2-Clause
guest > S 0 mss 1460
host open
refused net
guest < unreachable net
state none
ended unreachable 1
