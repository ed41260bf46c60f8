# SPDX-License-Identifier: BSD-2-Clause
# A reset that answers no probe is an abort, and the peer hears of it.
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
guest > R 2
host resets
state none
