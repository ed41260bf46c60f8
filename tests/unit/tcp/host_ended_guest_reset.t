# SPDX-License-Identifier: BSD-2-Clause
# A reset of the guest reaches a peer that has closed its half.
opened

host eof
guest < F. 1:1 ack 1
guest > R 1
host resets
state none
