"""Disks that fill up where docker keeps its images and nginx its logs: what serves goes on serving."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.conftest import Instance

FULL = "no space left on device"


@contextlib.contextmanager
def _full(place: Path) -> Iterator[None]:
    """A small disk without room in place of a directory."""
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        with open(place / "filler", "ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 512)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_of_logs_stops_no_deploy_and_no_visitor(instance: Instance) -> None:
    """ENV-1: of nginx, and of dokku itself."""
    app = instance.name("full-logs")
    repo = instance.new_repo(instance.sample("one"))
    assert instance.push(repo, app).code == 0
    instance.commit(repo, instance.sample("two"))
    with _full(instance.log):
        pushed = instance.push(repo, app)
        assert "Traceback" not in pushed.err
        assert pushed.code == 0, pushed
        assert instance.get(app) == (200, "two")
        for words in (("ps:report", app), ("nginx:validate-config",), ("logs", app)):
            assert instance.dokku(*words).code == 0, words
    instance.commit(repo, instance.sample("three"))
    assert instance.push(repo, app).code == 0
    assert instance.get(app) == (200, "three")


@pytest.mark.parametrize("at", ["image build", "container create"])
def test_a_docker_without_room_fails_the_deploy_and_the_old_version_serves(
    instance: Instance, at: str
) -> None:
    """ENV-1: docker's own words are shown."""
    app = instance.name(f"full-{at.split()[0]}")
    repo = instance.new_repo(instance.sample("one"))
    assert instance.push(repo, app).code == 0
    before = instance.containers(app)
    program = instance.place / "bin/full-docker"
    said = f"Error response from daemon: mkdir /var/lib/docker/tmp/x: {FULL}"
    program.write_text(
        f'#!/bin/sh\ncase "$1 $2" in "{at}") echo "{said}" >&2; exit 1 ;; esac\n'
        f'exec {shutil.which("docker")} "$@"\n'
    )
    program.chmod(0o755)

    instance.commit(repo, instance.sample("two"))
    instance.set_environment(DOCKER_BIN=str(program))
    failed = instance.push(repo, app)
    instance.set_environment()

    assert failed.code != 0
    assert FULL in failed.err
    assert "Traceback" not in failed.err
    assert instance.get(app) == (200, "one")
    assert instance.containers(app) == before
    assert instance.push(repo, app).code == 0
    assert instance.get(app) == (200, "two")
