# SPDX-License-Identifier: BSD-2-Clause
# An ICMP error that quotes the SYN of a forward refuses its client. Other quotes are ignored, and so are
# errors about a connection that is open or half-open otherwise.
host accepted
guest < S 0:0
unreachable 1
unreachable 4294967295
unreachable:1 0
state syn_sent
counter icmp_ignored 3
unreachable 0
host resets
state none
ended refused_by_guest 1
unreachable 0
counter icmp_ignored 4

host:1 accepted
guest:1 < S 0:0
guest:1 > S. 0 ack 1 mss 1460
guest:1 < . 1:1 ack 1
host:1 data 10
guest:1 < P. 1:11 ack 1
unreachable:1 0
unreachable:1 1
state:1 open
counter icmp_ignored 6

guest:2 > S 0 mss 1460
host:2 open
unreachable:2 0
host:2 opened
host:2 connected
guest:2 < S. 0:0 ack 1
unreachable:2 0
state:2 syn_rcvd
counter icmp_ignored 8
