# SPDX-License-Identifier: BSD-2-Clause
# Data behind the FIN of the guest is not taken.
opened

guest > F. 1 ack 1 win 502
host end
guest < . 1:1 ack 2
guest > P. 2:12 ack 1 win 502
state open
counter bad_fin 1
guest > F. 2 ack 1 win 502
guest < . 1:1 ack 2
counter bad_fin 2
