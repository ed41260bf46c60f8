# SPDX-License-Identifier: BSD-2-Clause
"""Which engine ends TCP in this run, for tests whose result differs."""

from __future__ import annotations

import os

OWN_TCP = os.environ.get("SLIRPD_ENGINE") == "own"
