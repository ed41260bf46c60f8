# SPDX-License-Identifier: BSD-2-Clause
# A segment is never longer than the MTU, whatever the guest asks for.
set mtu 1280
set frame 0
opened

host data 1300
guest < . 1:1241
guest < P. 1241:1301
