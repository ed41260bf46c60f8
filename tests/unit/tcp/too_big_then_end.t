# SPDX-License-Identifier: BSD-2-Clause
# The FIN is sent again with the last short segment.
set frame 0
opened

host data 1400
guest < P. 1:1401
host eof
guest < F. 1401:1401
too big 1 1280
guest < . 1:1241
guest < FP. 1241:1401
guest > . 1 ack 1402 win 502
