# SPDX-License-Identifier: BSD-2-Clause
# A SYN in an open flow is challenged (RFC 5961 4), once in half a second.
opened

guest > S 500
guest < . 1:1 ack 1
guest > S 501
+510 ms
guest > S 502
guest < . 1:1 ack 1
counter challenges 2
