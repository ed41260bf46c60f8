# SPDX-License-Identifier: BSD-2-Clause
# The same SYN changes nothing; another one starts over.
guest > S 0 mss 1460
host open
host opened
guest > S 0 mss 1460
guest > S 500 mss 1000
host connected
guest < S. 0:0 ack 501 no ws
