# SPDX-License-Identifier: BSD-2-Clause
# The guest resets, the host has ended, without data each way: all is thrown away,
# and the host gets the reset.
opened

host eof
guest < F. 1:1 ack 1
guest > R 1
host resets
state none
