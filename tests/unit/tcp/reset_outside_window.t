# SPDX-License-Identifier: BSD-2-Clause
opened

guest > R 900000
state open
counter bad_reset 1
