# SPDX-License-Identifier: BSD-2-Clause
# The guest has the ports in TIME_WAIT: its old state is reset, and the SYN sent again.
host accepted
guest < S 0:0
guest > . 9000 ack 777777
guest < R 777777:777777
guest < S 0:0
guest > S. 0 ack 1 mss 1460
guest < . 1:1 ack 1
