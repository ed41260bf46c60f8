# SPDX-License-Identifier: BSD-2-Clause
# The guest's keep-alive is answered, and kept up on the host's side.
opened

guest > . 0 ack 1
host keepalive
guest < . 1:1 ack 1
guest > . 0:1 ack 1
guest < . 1:1 ack 1
