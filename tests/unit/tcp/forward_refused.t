# SPDX-License-Identifier: BSD-2-Clause
host accepted
guest < S 0:0
guest > R. 0 ack 1
host resets
state none
ended refused_by_guest 1
