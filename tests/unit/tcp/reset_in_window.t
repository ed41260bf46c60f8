# SPDX-License-Identifier: BSD-2-Clause
# A blind reset does not end the flow (RFC 5961 3).
opened

guest > R 2
guest < . 1:1 ack 1
state open
counter bad_reset 1
