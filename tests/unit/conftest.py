"""A host of its own for each unit test, which fails when it reaches the real one; and `withheld`."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyfakefs import helpers

from tests.unit import host_access
from tests.unit.clock import Clock

NOBODY = 65534


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that reaches the host's own files, programs or servers, wherever in the code it did."""
    with host_access.recorded() as reached:
        yield
    assert not reached, "\n".join([f"{item.name} reaches the host:", *dict.fromkeys(reached)])


@pytest.fixture(scope="session")
def empty_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what unit tests get for /proc, /run and /etc: this one process, and nothing else."""
    place = tmp_path_factory.mktemp("host")
    pid = str(os.getpid())
    (place / "proc" / pid).mkdir(parents=True)
    (place / "proc" / pid / "stat").write_bytes(Path("/proc", pid, "stat").read_bytes())
    return place


@pytest.fixture(autouse=True)
def host(request: pytest.FixtureRequest, empty_host: Path) -> Iterator[None]:
    """No program, process, systemd or IPv6; in memory (`fs`) only what the test has put there."""
    with pytest.MonkeyPatch.context() as patch:
        if "fs" not in request.fixturenames:
            patch.setenv("PATH", str(empty_host / "bin"))
            patch.setattr("lib.base.settings.PATH", str(empty_host / "bin"))
            patch.setattr("lib.base.settings.NGINX_CONF", str(empty_host / "etc/nginx/nginx.conf"))
            patch.setattr("lib.base.settings.SYSTEMD", str(empty_host / "run/systemd/system"))
            patch.setattr("lib.base.procfs.ROOT", str(empty_host / "proc"))
            patch.setattr("lib.host.daemon.PATH", str(empty_host / "etc/docker/daemon.json"))
        yield


@pytest.fixture(autouse=True)
def clock(request: pytest.FixtureRequest) -> Iterator[Clock]:
    """Time as the code under test sees it: it passes when somebody sleeps, or when the test says so."""
    made = Clock()
    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("real_clock") is None:
            for name in ("sleep", "time", "time_ns", "monotonic"):
                patch.setattr(time, name, getattr(made, name))
        yield made


@pytest.fixture
def withheld(fs: Any) -> Iterator[Callable[[Path], None]]:
    """The file that this is called with becomes root's alone; from then on we are somebody else."""

    def withhold(path: Path) -> None:
        helpers.set_uid(0)
        for top in (Path(os.environ["DOKKU_ROOT"]).parent, Path("/proc")):
            for one in (top, *top.rglob("*")):
                os.chown(one, NOBODY, NOBODY, follow_symlinks=False)
        path.chmod(0o600)
        os.chown(path, 0, 0)
        helpers.set_uid(NOBODY)

    yield withhold
    helpers.reset_ids()
