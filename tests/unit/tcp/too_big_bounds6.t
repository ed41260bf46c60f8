# SPDX-License-Identifier: BSD-2-Clause
# No router makes the segments shorter than IPv6's smallest MTU allows, or longer.
set frame 0
set ip6 1
opened

host data 2000
guest < . 1:1441
guest < P. 1441:2001
too big 1 65535
too big 1 1500
too big 1 0
guest < . 1:1221
guest < P. 1221:2001
too big 1 576
