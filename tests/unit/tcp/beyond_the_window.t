# SPDX-License-Identifier: BSD-2-Clause
# The window of the SYN-ACK is not scaled.
opened

guest > . 400001:400101 ack 1
guest < . 1:1 ack 1
counter outside_window 1
