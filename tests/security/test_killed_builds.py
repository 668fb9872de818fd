"""A build ends with the deploy that wanted it, however that ends: no container of a build runs on."""

import io
import os
import secrets
import signal
import subprocess
import tarfile
from collections.abc import Iterator

import pytest

from tests.system.conftest import BASE_IMAGE, PATH, Instance, wait_for

IN_TIME = 10  # seconds
CLIENT_WITH_BUILDKIT = "/usr/bin/docker"  # of 20.10, which needs no plugin for it


def started(instance: Instance, app: str, marker: str) -> subprocess.Popen[bytes]:
    """A deploy of an app whose build takes for ever; its own process, the build being under way."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        text = f"FROM {BASE_IMAGE}\nRUN sleep {marker}\n".encode()
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    assert instance.dokku("apps:create", app).code == 0
    process = subprocess.Popen(
        [str(instance.place / "bin/dokku"), "git:from-archive", app, "--"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": PATH, "HOME": "/root", "USER": "root"},
    )
    assert process.stdin
    process.stdin.write(archive.getvalue())
    process.stdin.close()
    wait_for(lambda: is_building(marker), 60)
    assert is_building(marker)
    return process


def is_building(marker: str) -> bool:
    """Whether the sleep of a build runs on this machine, as a program and not only in a shell's words."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if file.read().split(b"\0")[:2] == [b"sleep", marker.encode()]:
                    return True
        except OSError:
            continue
    return False


@pytest.fixture(params=["classic", "buildkit"])
def builder(request: pytest.FixtureRequest, instance: Instance) -> Iterator[str]:
    if request.param == "buildkit":
        if not os.path.exists(CLIENT_WITH_BUILDKIT):
            pytest.skip("no client that has BuildKit built in")
        instance.set_environment(DOCKER_BUILDKIT="1", DOCKER_BIN=CLIENT_WITH_BUILDKIT)
    yield request.param
    instance.set_environment()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_build_ends_with_its_deploy(instance: Instance, builder: str, number: signal.Signals) -> None:
    """LEAK-6"""
    marker = str(10**8 + secrets.randbelow(10**8))
    process = started(instance, instance.name(f"gone-{builder}-{number.name.lower()}"), marker)
    process.send_signal(number)
    wait_for(lambda: not is_building(marker), IN_TIME)
    assert not is_building(marker)
    process.wait(timeout=30)


def test_a_build_ends_with_the_connection_of_its_push(instance: Instance, builder: str) -> None:
    """LEAK-6, RUN-8"""
    marker = str(10**8 + secrets.randbelow(10**8))
    repo = instance.new_repo({"Dockerfile": f"FROM {BASE_IMAGE}\nRUN sleep {marker}\n"})
    push = instance.push_in_background(repo, instance.name(f"gone-{builder}-push"))
    wait_for(lambda: is_building(marker), 60)
    assert is_building(marker)
    children = subprocess.run(["ps", "--ppid", str(push.pid), "-o", "pid="], capture_output=True, text=True)
    for pid in [str(push.pid), *children.stdout.split()]:  # git, and the ssh that it started
        os.kill(int(pid), signal.SIGKILL)
    push.communicate(timeout=60)
    wait_for(lambda: not is_building(marker), IN_TIME)
    assert not is_building(marker)
