# SPDX-License-Identifier: BSD-2-Clause
"""The lab of the integration tests, for those files here that need it.

Not leaves_no_process, which would put every file into the lab: a file that wants it imports it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "lib"))

_spec = importlib.util.spec_from_file_location(
    "integration_conftest", TESTS / "integration/conftest.py")
integration = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = integration
_spec.loader.exec_module(integration)

guest = integration.guest
lab = integration.lab
network = integration.network
tools = integration.tools
