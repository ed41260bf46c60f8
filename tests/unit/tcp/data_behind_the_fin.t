# SPDX-License-Identifier: BSD-2-Clause
# Data behind the FIN of the guest is not taken.
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
guest > P. 2:12 ack 1 win 502
state open
