# SPDX-License-Identifier: BSD-2-Clause
# A window that had closed is told when it opens: nothing else would start the guest again.
opened

host takes 0
guest >> . 1:40001 ack 1
guest > P. 40001:65536 ack 1
guest < . 1:1 ack 65536 win 0
host takes all
host writable
guest < . 1:1 ack 65536 win 512
host < 65535
