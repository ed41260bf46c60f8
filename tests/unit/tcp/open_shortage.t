# SPDX-License-Identifier: BSD-2-Clause
# A shortage of our own is a reset, and is counted apart from refusals of the host.
guest > S 0 mss 1460
host open
refused shortage
guest < R. 0:0 ack 1
counter flows_full 0
ended shortage 1
ended refused 0
