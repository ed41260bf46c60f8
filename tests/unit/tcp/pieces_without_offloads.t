# SPDX-License-Identifier: BSD-2-Clause
# Without offloads a frame is one segment.
set frame 0
opened

host data 3000
guest < . 1:1449
guest < . 1449:2897
guest < P. 2897:3001
