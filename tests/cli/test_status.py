"""status as a user calls it, on a host without docker."""

import json
import signal
import subprocess

import pytest

from tests.cli.conftest import TREE


def test_apps_that_were_never_deployed_are_listed_without_asking_docker(dokku):
    assert dokku("status").err == " !     You haven't deployed any applications yet\n"
    dokku.make_app("blog")
    calls = dokku.recorded("docker")
    done = dokku("status")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[1].split() == ["blog", "not", "deployed", "0/1", "0", "never", "-", "-"]
    assert json.loads(dokku("status", "--format", "json").out)[0]["app"] == "blog"
    assert calls() == []


def test_an_app_that_does_not_exist_is_named(dokku):
    assert dokku("status", "nope") == ("", " !     App nope does not exist\n", 20)


@pytest.fixture
def watcher(dokku):
    """`status --watch`, which has shown the app once."""
    dokku.make_app("blog")
    argv = [str(TREE / "bin/dokku"), "status", "--watch"]
    process = subprocess.Popen(argv, env=dokku.environment, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout.readline().startswith(b"APP ")
    assert process.stdout.readline().startswith(b"blog ")
    yield process
    process.kill()
    process.wait()


def test_watching_shows_it_again_until_ctrl_c(watcher):
    assert watcher.stdout.readline().startswith(b"APP ")
    watcher.send_signal(signal.SIGINT)
    assert watcher.wait(timeout=30) == 130


def test_watching_ends_when_nobody_reads_any_more(watcher):
    watcher.stdout.close()
    assert watcher.wait(timeout=30) == 0
