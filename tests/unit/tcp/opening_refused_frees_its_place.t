# SPDX-License-Identifier: BSD-2-Clause
# Every end of a half-open flow releases its place in the limits.
flood 1 255
guest > S 0
host open
refused timeout
guest > S 0
host open
refused net
guest < unreachable net
guest > S 0
host open
guest > R 1
guest > S 0
host open
host opened
host failed ETIMEDOUT
host resets
guest > S 0
host open
# All 256 places are taken, none is lost.
counter syn_dropped 0
