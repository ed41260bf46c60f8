# SPDX-License-Identifier: BSD-2-Clause
# The first frame of more than 65535 bytes is a trial: ordinary frames follow until it is
# acknowledged. Then all may be so long.
set big 130320
guest > S 0 mss 1460 ws 10 sackok 1
host open
host opened
host connected
guest < S. 0:0 ack 1
guest > . 1 ack 1 win 1000
host data 64240
guest < P. 1:64241
guest > . 1 ack 64241 win 1000
host data 100000
guest < P. 64241:164241
host data 10000
guest < P. 164241:174241
host data 65000
guest < P. 174241:194017
guest > . 1 ack 174241 win 1000
guest < P. 194017:239241
guest > . 1 ack 239241 win 1000
host data 260640
guest < . 239241:369561
guest < P. 369561:499881
guest > . 1 ack 499881 win 1000
big works
