# SPDX-License-Identifier: BSD-2-Clause
# The guest resets, without data each way: all is thrown away, and the host gets the reset.
opened

guest > R 1
host resets
state none
host data 1
host reset
state none
