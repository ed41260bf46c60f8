# SPDX-License-Identifier: BSD-2-Clause
# Half-open flows of forwards have limits of their own, by the guest's address; peers of
# forwards do not keep the guest from the host's network, nor other addresses from peers.
crowd 0 511
counter syn_dropped 0
crowd 512 515
counter syn_dropped 4
guest:600 > S 0 mss 1460
host:600 open
crowd 900 1411
counter syn_dropped 4
crowd 1412 1412
counter syn_dropped 5
