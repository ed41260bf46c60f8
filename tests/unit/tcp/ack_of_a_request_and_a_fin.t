# SPDX-License-Identifier: BSD-2-Clause
# A guest that sends a request and ends waits for the answer: both are acknowledged by it, or before the sleep.
opened
awake

guest > P. 1:11 ack 1 win 502
host < 10
guest > F. 11 ack 1 win 502
host end
sleep
guest < . 1:1 ack 12
awake
host data 10
guest < P. 1:11 ack 12
