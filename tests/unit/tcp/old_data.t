# SPDX-License-Identifier: BSD-2-Clause
# Data that is here already is acknowledged at once.
opened

guest > . 1:101 ack 1
guest < . 1:1 ack 101
host < 100
guest > . 1:101 ack 1
guest < . 1:1 ack 101
guest > . 51:151 ack 1
guest < . 1:1 ack 151
host < 50
