# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the integration tests; see tests/lib/lab.py for the lab that they hand out."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from api_client import daemon_with_api  # noqa: E402
from commands import needs  # noqa: E402
from daemon import Slirpd  # noqa: E402
from egress import Uplink  # noqa: E402
from guest import Guest  # noqa: E402
from lab import Lab  # noqa: E402
from loopback import Loopback  # noqa: E402
from nowhere import FAR4, FAR6, far_away as behind_a_router  # noqa: E402
from processes import no_process_left  # noqa: E402
from tree import SANITIZED, slirpd_path  # noqa: E402

REQUIRED = ("nginx", "dnsmasq", "ip", "nsenter", "unshare", "setpriv", "curl")


def pytest_configure(config: pytest.Config) -> None:
    if not os.environ.get("SLIRPD_OUTER_NS"):
        pytest.exit("run these tests through tests/lib/outer-ns", returncode=2)
    if not os.access(slirpd_path(), os.X_OK):
        pytest.exit(f"no daemon at {slirpd_path()}; set SLIRPD", returncode=2)
    # A runner in the background hands down an ignored SIGINT, and nohup(1) an ignored SIGHUP;
    # slirpd would inherit both.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    config.addinivalue_line("markers", "no_sanitizer: says nothing in a build with sanitizers")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    needs(*REQUIRED)
    with Lab() as made:
        yield made


@pytest.fixture(autouse=True)
def leaves_no_process(lab: Lab) -> Iterator[None]:
    with no_process_left():
        yield


@pytest.fixture
def guest(lab: Lab) -> Iterator[Guest]:
    with Guest() as made:
        yield made


@pytest.fixture
def loopback(lab: Lab) -> Iterator[Loopback]:
    with Loopback() as made:
        yield made


@pytest.fixture
def uplink(lab: Lab) -> Iterator[Uplink]:
    with Uplink() as made:
        yield made


@pytest.fixture
def tools() -> Callable[..., None]:
    return needs


@pytest.fixture
def network(guest: Guest) -> Iterator[Slirpd]:
    """A guest with the usual network: `slirpd --configure --enable-ipv6 PID tap0`."""
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0") as daemon:
        yield daemon


@pytest.fixture
def far_away(lab: Lab) -> Iterator[dict[str, str]]:
    """Addresses of a host behind a router."""
    with behind_a_router(lab):
        yield {"ipv4": FAR4, "ipv6": FAR6}


@pytest.fixture
def api(guest: Guest) -> Iterator[tuple[Slirpd, str]]:
    with daemon_with_api(guest) as made:
        yield made


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Left out, as CTest's label of that name leaves out whole files; a skip would be a failure."""
    left_out = [item for item in items
                if SANITIZED and item.get_closest_marker("no_sanitizer")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
