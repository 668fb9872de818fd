"""A host of its own for each unit test, which fails when it reaches the real one; and `withheld`."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyfakefs import helpers

from tests.unit import host_access

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
def host(request: pytest.FixtureRequest, empty_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program, process, systemd or IPv6; in memory (`fs`) only what the test has put there."""
    if "fs" in request.fixturenames:
        return
    monkeypatch.setenv("PATH", str(empty_host / "bin"))
    monkeypatch.setattr("lib.base.settings.PATH", str(empty_host / "bin"))
    monkeypatch.setattr("lib.base.settings.SYSTEMD", str(empty_host / "run/systemd/system"))
    monkeypatch.setattr("lib.base.procfs.ROOT", str(empty_host / "proc"))
    monkeypatch.setattr("lib.host.daemon.PATH", str(empty_host / "etc/docker/daemon.json"))


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
