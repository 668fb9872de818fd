"""nginx: logs and the service as a user meets them; the rest stands in test_proxy.py."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import TREE, Dokku


@pytest.mark.parametrize("kind", ["access", "error"])
def test_the_last_lines_of_a_log_are_shown(dokku: Dokku, kind: str) -> None:
    dokku.make_app("web")
    command = f"nginx:{kind}-logs"
    missing = dokku(command, "web")
    assert (missing.code, missing.err) == (
        1,
        f" !     There is no {kind} log of web yet: {dokku.log}/web-{kind}.log\n",
    )
    lines = [f"{number} é\n" for number in range(30)]
    (dokku.log / f"web-{kind}.log").write_text("".join(lines))
    assert dokku(command, "web") == ("".join(lines[-20:]), "", 0)
    assert dokku(command, "web", "-n", "2") == ("".join(lines[-2:]), "", 0)
    assert dokku(command, "web", "--num", "99") == ("".join(lines), "", 0)
    assert dokku("--app", "web", command, "--num", "0") == ("", "", 0)


@pytest.mark.parametrize("path", ["off", "/dev/null"])
def test_a_log_that_is_off_is_said_to_be(dokku: Dokku, path: str) -> None:
    dokku.make_app("web")
    dokku("nginx:set", "web", "access-log-path", path)
    for words in (["web"], ["web", "-t"]):
        refused = dokku("nginx:access-logs", *words)
        assert refused == ("", " !     access logs are disabled for this app\n", 1)


def test_a_log_in_another_place_is_found_there(dokku: Dokku) -> None:
    dokku.make_app("web")
    dokku("nginx:set", "web", "error-log-path", f"{dokku.log}/own.log")
    (dokku.log / "own.log").write_text("here\n")
    assert dokku("nginx:error-logs", "web").out == "here\n"
    dokku("nginx:set", "web", "error-log-path", "/dev/stderr")
    said = " !     error logs of this app go to nginx's own stderr\n"
    assert dokku("nginx:error-logs", "web") == ("", said, 1)


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        ([], " !     Please specify an app to run the command on\n", 1),
        (["nope"], " !     App nope does not exist\n", 20),
        (["web", "-n", "x"], ' !     invalid argument "x" for "-n, --num" flag\n', 2),
        (["web", "-n", "-1"], ' !     invalid argument "-1" for "-n, --num" flag\n', 2),
    ],
)
def test_bad_words_are_refused(dokku: Dokku, words: list[str], said: str, code: int) -> None:
    """NAME-9"""
    dokku.make_app("web")
    refused = dokku("nginx:access-logs", *words)
    assert refused.out == ""
    assert refused.err.startswith(said)
    assert refused.code == code


@pytest.mark.parametrize("namespace", ["nginx", "haproxy", "git", "checks"])
def test_a_word_too_many_is_ignored_for_all_apps_as_for_one(dokku: Dokku, namespace: str) -> None:
    dokku.make_app("web")
    for owner in ("--global", "web"):
        done = dokku(f"{namespace}:set", owner, "hsts", "false", "junk")
        assert done == dokku(f"{namespace}:set", owner, "hsts", "false")


def test_options_for_all_apps_are_reported_as_such(dokku: Dokku) -> None:
    dokku.make_app("web")
    assert dokku("nginx:set", "--global", "send-timeout", "10s").code == 0
    assert dokku("nginx:report", "--global", "--nginx-global-send-timeout").out == "10s\n"
    assert dokku("nginx:report", "web", "--nginx-computed-send-timeout").out == "10s\n"
    assert "send-timeout" not in dokku("nginx:report", "web").out
    assert dokku("nginx:set", "--global", "send-timeout").code == 0
    found = json.loads(dokku("nginx:report", "web", "--format", "json").out)
    assert (found["computed-send-timeout"], found["global-send-timeout"], found["send-timeout"]) == (
        "60s",
        "60s",
        "",
    )


@pytest.fixture
def follower(dokku: Dokku) -> subprocess.Popen[bytes]:
    """`nginx:access-logs web -t`, of which the first line was read."""
    dokku.make_app("web")
    (dokku.log / "web-access.log").write_text("first\n")
    argv = [str(TREE / "bin/dokku"), "nginx:access-logs", "web", "-t"]
    process = subprocess.Popen(
        argv, env=dokku.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"first\n"
    return process


def test_a_log_is_followed_also_when_it_is_rotated(dokku: Dokku, follower: subprocess.Popen[bytes]) -> None:
    """NGX-12"""
    assert follower.stdout is not None
    path = dokku.log / "web-access.log"
    with path.open("a") as file:
        file.write("second\n")
    assert follower.stdout.readline() == b"second\n"
    path.rename(dokku.log / "web-access.log.1")
    path.write_text("third\n")
    assert follower.stdout.readline() == b"third\n"
    follower.send_signal(signal.SIGINT)
    assert follower.wait(timeout=30) in (130, -signal.SIGINT)


def test_nothing_is_left_when_nobody_reads_any_more(follower: subprocess.Popen[bytes]) -> None:
    """NGX-12"""
    assert follower.stdout is not None
    follower.stdout.close()
    follower.wait(timeout=30)
    with pytest.raises(ProcessLookupError):
        os.killpg(follower.pid, 0)


@pytest.fixture
def service(dokku: Dokku, tmp_path: Path) -> Dokku:
    """An nginx that is a process which calls itself so, and what it says when it is tested."""
    pid = dokku.environment["DOKKU_NGINX_PID_FILE"]
    dokku.program(
        "start",
        "#!/bin/sh\n"
        f"bash -c 'exec -a \"nginx: master process\" sleep 300' >/dev/null 2>&1 &\necho $! >{pid}\n",
    )
    dokku.program("stop", f"#!/bin/sh\nkill $(cat {pid})\nrm {pid}\n")
    dokku.program(
        "tester", f"#!/bin/sh\n[ ! -e {dokku.root}/bad ] || {{ echo 'nginx: [emerg] bad' >&2; exit 1; }}\n"
    )
    for word, name in (("START", "start"), ("STOP", "stop"), ("TEST", "tester")):
        dokku.environment[f"DOKKU_NGINX_{word}_COMMAND"] = str(dokku.bin / name)
    return dokku


def test_nginx_is_started_and_stopped_once(service: Dokku) -> None:
    assert service("nginx:stop") == ("-----> nginx is not running\n", "", 0)
    assert service("nginx:reload") == ("-----> Reloading nginx\n", " !     nginx is not running\n", 1)
    assert service("nginx:start") == ("-----> Starting nginx\n", "", 0)
    assert service("nginx:start") == ("-----> nginx is already running\n", "", 0)
    assert service("nginx:stop") == ("-----> Stopping nginx\n", "", 0)
    assert service("--quiet", "nginx:stop") == ("", "", 0)


def test_nginx_is_not_touched_with_a_bad_configuration(service: Dokku) -> None:
    (service.root / "bad").write_text("")
    assert service("nginx:start") == ("", " !     bad\n", 1)
    assert service("nginx:reload") == ("", " !     bad\n", 1)


def test_a_service_that_can_not_be_controlled_is_told(service: Dokku) -> None:
    service.program("start", "#!/bin/sh\necho no such unit >&2\nexit 5\n")
    refused = service("nginx:start")
    assert (refused.err, refused.code) == (" !     nginx can't be started: no such unit\n", 1)


def test_a_value_of_all_apps_is_asked_for_by_its_own_name(dokku: Dokku) -> None:
    dokku("nginx:set", "--global", "send-timeout", "10s")
    assert dokku("nginx:report", "--global", "--nginx-send-timeout") == ("10s\n", "", 0)
