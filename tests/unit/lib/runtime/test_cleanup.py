"""cleanup: what goes, and what stays because it serves, waits or is none of ours."""

import pytest

from lib.base import log
from lib.runtime import cleanup

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    with log.collected() as lines:
        yield lines


def test_what_has_ended_goes_unless_it_may_serve_again(shell, said):
    shell.answers("docker container ls …status=exited", out=f"{A}\n{B}\n")
    shell.answers("docker container ls …status=dead", out=f"{C}\n{A}\n")
    shell.answers("docker container ls …label=com.dokku.container-type=deploy", out=f"{B}\n{'d' * 64}\n")
    cleanup.clean("blog")
    listing = "docker container ls --quiet --no-trunc --all"
    ours = f"{listing} --filter=label=dokku --filter=label=com.dokku.app-name=blog"
    assert shell.ran == [
        f"{ours} --filter=status=exited",
        f"{ours} --filter=status=dead",
        f"{listing} --filter=label=com.dokku.container-type=deploy",
        f"docker container rm --force {A} {C}",
        "docker image prune --force --filter=dangling=true --filter=label=com.dokku.app-name=blog",
    ]
    assert said == [(1, b"-----> Cleaning up...\n")]


def test_without_an_app_only_what_is_some_apps_goes(shell):
    """A database that a service plugin stopped carries the label dokku as well."""
    cleanup.clean()
    asked = [line for line in shell.ran if "status=" in line or "prune" in line]
    assert all("--filter=label=com.dokku.app-name" in line for line in asked)


def test_nothing_to_remove_removes_nothing(shell):
    cleanup.clean("blog")
    assert not any(" rm " in line for line in shell.ran)
