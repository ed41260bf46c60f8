# SPDX-License-Identifier: BSD-2-Clause
# Half-open flows of forwards have a limit of their own; peers of forwards do not keep the guest
# from the host's network.
crowd 0 1023
counter syn_dropped 0
crowd 1024 1027
counter syn_dropped 4
guest:1100 > S 0 mss 1460
host:1100 open
