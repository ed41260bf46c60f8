# SPDX-License-Identifier: BSD-2-Clause
# Half-open flows: 512 of each guest address, 256 to each peer, 1024 in all.
flood 0 255
flood 300 555
counter syn_dropped 0
flood 600 600
counter syn_dropped 1
flood 900 1155
flood 1200 1455
counter syn_dropped 1
flood 1500 1500
counter syn_dropped 2
state connect
# A refused attempt gives its place back.
refused timeout
flood 600 600
counter syn_dropped 2
flood 601 601
counter syn_dropped 3
