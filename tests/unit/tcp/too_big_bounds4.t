# SPDX-License-Identifier: BSD-2-Clause
# A router that does not say its MTU has at least 576 bytes.
set frame 0
opened

host data 2000
guest < . 1:1449
guest < P. 1449:2001
too big 1449 65535
too big 1 0
guest < . 1:537
guest < . 537:1073
guest < . 1073:1609
guest < P. 1609:2001
too big 1 68
too big 537 39
