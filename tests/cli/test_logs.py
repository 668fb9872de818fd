"""logs as a user calls it, with a docker that is a script: two containers that speak at once."""

import os
import signal
import subprocess
import time

import pytest

from tests.cli.conftest import TREE

WEB, WORKER = "a" * 64, "b" * 64
STATE = (
    '{"Id":"%s","Name":"/x","Image":"sha256:1","RestartCount":0,"State":{"Status":"running","Running":true,'
    '"StartedAt":"2026-01-01T00:00:00Z"},"Config":{"Labels":{"com.dokku.app-name":"blog"}},'
    '"HostConfig":{},"NetworkSettings":{"IPAddress":"172.17.0.2"}}'
)
DOCKER = f"""#!/bin/sh
printf '%s\\n' "$*" >>"$0.calls"
stamp=
case "$*" in
*--timestamps*) stamp='2026-11-22T13:31:16.698083917Z ' ;;
esac
case "$*" in
"container inspect"*) printf '%s\\n' '{STATE % WEB}' '{STATE % WORKER}' ;;
*--follow*) echo $$ >>"$0.pids"; echo "${{stamp}}following"; exec sleep 600 ;;
*{WEB}) echo "${{stamp}}from web"; echo "${{stamp}}web's error" >&2 ;;
*{WORKER}) for i in $(seq 0 199); do printf '%sline %s of' "$stamp" $i; echo ' worker'; done ;;
esac
"""


@pytest.fixture
def blog(dokku):
    """A deployed app with a web and a worker container; what docker was asked so far."""
    directory = dokku.make_app("blog")
    (directory / "CONTAINER.web.1").write_text(f"{WEB}\n")
    (directory / "CONTAINER.worker.1").write_text(f"{WORKER}\n")
    calls = dokku.program("docker", DOCKER).with_name("docker.calls")
    return lambda: [line for line in calls.read_text().splitlines() if " logs " in line]


def refusal(text, code=1):
    return ("", f" !     {text}\n", code)


def test_an_app_has_to_be_named_and_to_exist(dokku):
    assert dokku("logs") == refusal("Please specify an app to run the command on")
    assert dokku("logs", "nope") == refusal("App nope does not exist", 20)


def test_an_app_that_was_never_deployed_has_no_logs(dokku):
    dokku.make_app("blog")
    assert dokku("logs", "blog") == refusal("App blog has not been deployed")


def test_lines_come_whole_with_time_app_and_container(dokku, blog):
    done = dokku("logs", "blog")
    assert (done.err, done.code) == ("", 0)
    lines = done.out.splitlines()
    stamp = "2026-11-22T13:31:16.698083917Z"
    assert f"\x1b[36m{stamp} blog[web.1]:\x1b[0m from web" in lines
    assert f"\x1b[36m{stamp} blog[web.1]:\x1b[0m web's error" in lines
    assert [line for line in lines if "worker" in line] == [
        f"\x1b[33m{stamp} blog[worker.1]:\x1b[0m line {n} of worker" for n in range(200)
    ]


@pytest.mark.parametrize("flag", ["-q", "--quiet"])
def test_quiet_lines_are_as_the_container_wrote_them(dokku, blog, flag):
    done = dokku("logs", flag, "blog", "-p", "web")
    assert sorted(done.out.splitlines()) == ["from web", "web's error"]


@pytest.mark.parametrize("words", [("-n", "5"), ("--num", "5"), ("--num=5",)])
def test_the_number_of_lines_is_dockers_to_keep(dokku, blog, words):
    assert dokku("logs", "blog", *words).code == 0
    assert all("--tail=5 " in call for call in blog())


@pytest.mark.parametrize("number", ["x", "-1", "1e3", "٣"])
def test_a_bad_number_of_lines_is_refused(dokku, blog, number):
    """NAME-16"""
    done = dokku("logs", "blog", f"--num={number}")
    assert done.code == 2
    assert done.err == f' !     invalid argument "{number}" for "-n, --num" flag\n'


@pytest.mark.parametrize("words", [("--ps", "worker"), ("-p", "worker.1")])
def test_one_type_or_one_container_may_be_chosen(dokku, blog, words):
    dokku("logs", "blog", *words)
    assert [call.split()[-1] for call in blog()] == [WORKER]


@pytest.mark.parametrize("name", ["clock", "worker.2"])
def test_a_type_the_app_does_not_have_says_nothing(dokku, blog, name):
    assert dokku("logs", "blog", "-p", name) == ("", "", 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_following_ends_with_a_signal_and_takes_dockers_clients_along(dokku, blog, number):
    process = following(dokku, stdout=subprocess.PIPE)
    pids = started(dokku)
    process.send_signal(number)
    assert process.wait(timeout=20) == 128 + number
    assert gone(pids)


def test_following_ends_when_nobody_reads_any_more(dokku, blog):
    process = following(dokku, stdout=subprocess.PIPE)
    pids = started(dokku)
    process.stdout.close()
    process.wait(timeout=20)
    assert gone(pids)


def test_failed_deploys_have_left_nothing(dokku, blog):
    assert dokku("logs:failed", "blog") == (
        "=====> blog failed deploy logs\n",
        " !     No failed containers found\n",
        0,
    )


def test_failed_deploys_of_all_apps_are_meant_without_one(dokku, blog):
    done = dokku("logs:failed")
    assert done.err.splitlines()[:2] == [
        " !     Deprecated: logs:failed specified without app, assuming --all",
        " !     Running logs:failed in serial mode",
    ]
    assert done.code == 0


def following(dokku, stdout):
    return subprocess.Popen(
        [str(TREE / "bin/dokku"), "logs", "-t", "blog"],
        env=dokku.environment,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
    )


def started(dokku):
    """The processes of both clients, once they run."""
    notes, deadline = dokku.bin / "docker.pids", time.monotonic() + 20
    while not notes.exists() or len(notes.read_text().split()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)
    return [int(pid) for pid in notes.read_text().split()]


def gone(pids):
    deadline = time.monotonic() + 5
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
