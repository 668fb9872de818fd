"""A command under limits of the shell that calls it: it works, or says in one line why not."""

import subprocess

import pytest

from tests.cli.conftest import TREE, Dokku


def limited(dokku: Dokku, limit: str, *words: str) -> "subprocess.CompletedProcess[bytes]":
    argv = ["bash", "-c", f'ulimit {limit}; exec "$@"', "bash", str(TREE / "bin/dokku"), *words]
    return subprocess.run(argv, env=dokku.environment, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("limit", ["-n 64", "-s 1024", "-c 0", "-f 100000"])
def test_usual_limits_are_enough(dokku: Dokku, limit: str) -> None:
    """ENV-6"""
    done = limited(dokku, limit, "apps:create", "blog")
    assert (done.returncode, done.stderr) == (0, b""), done
    assert limited(dokku, limit, "config:set", "--no-restart", "blog", "A=1").returncode == 0
    assert dokku("config:get", "blog", "A").out == "1\n"


@pytest.mark.parametrize("limit", ["-n 12", "-n 8", "-f 0", "-v 120000"])
def test_too_tight_a_limit_fails_without_harm(dokku: Dokku, limit: str) -> None:
    """ENV-6"""
    dokku.make_app("blog")
    assert dokku("config:set", "--no-restart", "blog", "A=1").code == 0
    done = limited(dokku, limit, "config:set", "--no-restart", "blog", "B=2")
    if done.returncode:
        assert dokku("config:keys", "blog").out == "A\n"
    assert dokku("config:get", "blog", "A").out == "1\n"
    assert dokku("config:set", "--no-restart", "blog", "C=3").code == 0
