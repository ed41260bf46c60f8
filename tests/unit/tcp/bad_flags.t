# SPDX-License-Identifier: BSD-2-Clause
opened

guest > SF 1 ack 1
guest > SR 1
guest > 0 1
counter bad_flags 3
