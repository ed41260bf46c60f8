# SPDX-License-Identifier: BSD-2-Clause
# A refused connection is a reset that acknowledges the SYN.
guest > S 0 mss 1460
host open
host opened
host failed ECONNREFUSED
guest < R. 0:0 ack 1
host resets
state none
ended refused 1
