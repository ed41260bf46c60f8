# SPDX-License-Identifier: BSD-2-Clause
# The host resets, without data before: the guest gets the data, then the reset.
opened

host reset
guest < R. 1:1 ack 1
host resets
state none
