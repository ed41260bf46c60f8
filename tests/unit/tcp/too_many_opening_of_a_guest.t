# SPDX-License-Identifier: BSD-2-Clause
# Half-open flows of one guest are limited; an old one gives way.
flood 0 255
flood 300 555
counter syn_dropped 0
flood 600 610
counter syn_dropped 11
+20 s
flood 600 610
counter syn_dropped 11
