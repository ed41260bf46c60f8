# SPDX-License-Identifier: BSD-2-Clause
# The guest has ended and the host resets, without data before.
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
host reset
guest < R. 1:1 ack 2
host resets
state none
