# SPDX-License-Identifier: BSD-2-Clause
# The guest hears nothing, and its next SYN is a new attempt.
guest > S 0 mss 1460
host open
refused ignored
state none
ended shortage 1
guest > S 0 mss 1460
host open
