# SPDX-License-Identifier: BSD-2-Clause
opened

guest > R 1
host resets
state none
ended reset_by_guest 1
