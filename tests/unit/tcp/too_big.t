# SPDX-License-Identifier: BSD-2-Clause
# A router in the guest has a smaller MTU: what is out is sent again in smaller pieces.
set frame 0
opened

host data 2000
guest < . 1:1449
guest < P. 1449:2001
too big 1 1280
guest < . 1:1241
guest < P. 1241:2001
