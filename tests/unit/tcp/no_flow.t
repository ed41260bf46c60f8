# SPDX-License-Identifier: BSD-2-Clause
# Segments of no flow get a reset; a reset gets nothing.
guest > . 77 ack 5
guest < R 5:5
guest > F 10
guest < R. 0:0 ack 11
guest > R 9
counter no_flow 3
