# SPDX-License-Identifier: BSD-2-Clause
# Acknowledgements that a guest needs at once, also while the worker does not sleep.
opened
awake

# A probe.
guest > . 0 ack 1
host keepalive
guest < . 1:1 ack 1
# Ahead of a gap, and what closes it.
guest > . 11:21 ack 1
guest < . 1:1 ack 1 sack 11-21
guest > . 1:11 ack 1
guest < . 1:1 ack 21
host < 20
# Old data.
guest > P. 11:21 ack 1
guest < . 1:1 ack 21
# A FIN ahead of a gap; once taken, the same FIN again.
guest > F. 31 ack 1
guest < . 1:1 ack 21
guest > P. 21:31 ack 1
host < 10
host end
guest > F. 31 ack 1
guest < . 1:1 ack 32
