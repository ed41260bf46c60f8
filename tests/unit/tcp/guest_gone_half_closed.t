# SPDX-License-Identifier: BSD-2-Clause
# A guest that has forgotten a half-closed flow answers the probe with a reset. Its data was complete:
# the peer gets no reset, which would throw away what the host's kernel has not delivered yet.
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
+75010 ms
guest < . 0:0 ack 2
guest > R 2
host close
state none
