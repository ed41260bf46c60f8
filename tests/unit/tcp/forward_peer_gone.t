# SPDX-License-Identifier: BSD-2-Clause
# The client resets before the guest answers: the guest hears of it at once.
host accepted
guest < S 0:0
host reset
guest < R 1:1
host resets
state none
ended reset_by_host 1
