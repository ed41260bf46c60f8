# SPDX-License-Identifier: BSD-2-Clause
opened

host accepted
host:1799 resets
counter tuple_taken 1
