# SPDX-License-Identifier: BSD-2-Clause
# No route to the host: ICMP, not a reset.
guest > S 0 mss 1460
host open
host opened
host failed EHOSTUNREACH
guest < unreachable host
host resets
state none
ended unreachable 1
