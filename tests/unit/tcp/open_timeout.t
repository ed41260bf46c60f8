# SPDX-License-Identifier: BSD-2-Clause
# The host's connect timed out: silence, and the next SYN tries again.
guest > S 0 mss 1460
host open
host opened
host failed ETIMEDOUT
host resets
state none
ended timed_out 1
guest > S 0 mss 1460
host open
state connect
