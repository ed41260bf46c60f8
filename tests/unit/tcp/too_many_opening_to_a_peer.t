# SPDX-License-Identifier: BSD-2-Clause
# Half-open flows to one peer are limited; an old one gives way, so that a black hole does not block.
flood 0 255
counter syn_dropped 0
flood 256 260
counter syn_dropped 5
flood 300 310
counter syn_dropped 5
+20 s
flood 256 260
counter syn_dropped 5
state none
