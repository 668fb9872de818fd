"""builds:* as a user has them; the builds here are as good as what a plugin's trigger says and does."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.base import descendants, procfs
from tests.archives import GOOD, archive
from tests.cli.conftest import TREE, Dokku

_DOCKER = """#!/bin/sh
case "$*" in
*inspect*) echo 'Error: No such object' >&2; exit 1 ;;
esac
exit 0
"""


@pytest.fixture
def app(dokku: Dokku) -> str:
    dokku.program("docker", _DOCKER)
    dokku.make_app("blog")
    return "blog"


def build(dokku: Dokku, script: str, **more: str) -> int:
    """Deploy something; the script is what a plugin does with the source, and the end of it."""
    dokku.plugin("witness", post_extract=f"#!/bin/sh\n{script}\nexit 3\n")
    return dokku("git:from-archive", "blog", "--", input=archive(GOOD), env=more).code


def listed(dokku: Dokku) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(dokku("builds:list", "blog", "--format=json").out)
    return found


def test_what_a_build_says_is_kept_with_how_it_ended(dokku: Dokku, app: str) -> None:
    assert build(dokku, "echo out; echo err >&2; sleep 1; printf 'no end'", NAME="alice") == 3
    (one,) = listed(dokku)
    assert (one["number"], one["user"], one["outcome"]) == (1, "alice", "failed")
    shown = dokku("builds:output", app)
    assert sorted(shown.out.splitlines()) == ["err", "no end", "out"]
    assert (shown.err, shown.code) == ("", 0)
    table = dokku("builds:list", app).out.splitlines()
    assert table[0] == "=====> blog builds"
    assert table[2].split()[0] == "1"
    assert table[2].split()[-1] == "failed"


def test_each_build_has_a_number_and_the_last_is_shown_when_none_is_given(dokku: Dokku, app: str) -> None:
    for word in ("first", "second"):
        build(dokku, f"echo {word}")
    assert dokku("builds:output", app).out == "second\n"
    assert dokku("builds:output", app, "1").out == "first\n"
    assert dokku("builds:output", app, "2", "--follow").out == "second\n"
    assert dokku("builds:set", app, "keep", "1").code == 0
    build(dokku, "echo third")
    assert [one["number"] for one in listed(dokku)] == [3]
    assert os.listdir(dokku.lib / "data/builds/blog") != []


def test_a_terminal_stays_one_for_what_a_build_starts(dokku: Dokku, app: str) -> None:
    dokku.plugin("witness", post_extract="#!/bin/sh\ntest -t 1 && test -t 2 && echo a terminal\nexit 3\n")
    (dokku.root / "source.tar").write_bytes(archive(GOOD))
    script = f"{TREE}/bin/dokku git:from-archive blog -- <{dokku.root}/source.tar"
    words = ["script", "--quiet", "--return", "--command", script, "/dev/null"]
    done = subprocess.run(words, capture_output=True, text=True, env=dokku.environment, check=False)
    assert done.returncode == 3
    assert "\na terminal\n" in done.stdout.replace("\r\n", "\n")
    assert dokku("builds:output", app).out == "a terminal\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("builds:list", "nope"), "App nope does not exist"),
        (("builds:output", "blog"), "App blog has not been built yet"),
        (("builds:output", "blog", "x"), "Invalid build number: x"),
        (("builds:output", "blog", "4"), "App blog has no build 4"),
        (("builds:cancel", "blog"), "No build of blog is running"),
        (("builds:set", "blog"), "No property specified"),
        (("builds:set", "blog", "size", "1"), "Invalid property specified, valid properties include: keep"),
        (
            ("builds:set", "--global", "keep", "0"),
            "Invalid value for keep, it must be a number from 1 to 10000",
        ),
    ],
)
def test_what_is_not_there_is_refused(dokku: Dokku, app: str, words: tuple[str, ...], text: str) -> None:
    done = dokku(*words)
    assert (done.out, done.err) == ("", f" !     {text}\n")
    assert done.code == (20 if "nope" in words else 1)


def test_the_report_knows_what_is_kept(dokku: Dokku, app: str) -> None:
    assert dokku("builds:report", app, "--builds-computed-keep").out == "20\n"
    assert dokku("builds:set", "--global", "keep", "9").code == 0
    assert dokku("builds:report", app, "--builds-computed-keep").out == "9\n"
    assert dokku("builds:set", app, "keep", "3").code == 0
    report = json.loads(dokku("builds:report", app, "--format", "json").out)
    assert (report["keep"], report["builds-global-keep"], report["computed-keep"]) == ("3", "9", "3")
    assert dokku("builds:set", app, "keep").code == 0
    assert dokku("builds:report", app, "--builds-keep").out == "\n"


def test_ctrl_c_is_on_record_and_the_next_build_works(dokku: Dokku, app: str) -> None:
    dokku.plugin("witness", post_extract="#!/bin/sh\necho started\nexec sleep 300\n")
    process = subprocess.Popen(
        [str(TREE / "bin/dokku"), "git:from-archive", app, "--"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dokku.environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(archive(GOOD))
    process.stdin.close()
    next(line for line in process.stdout if line == b"started\n")
    assert listed(dokku)[0]["outcome"] == "running"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert listed(dokku)[0]["outcome"] == "cancelled"
    assert dokku("builds:output", app).out == "started\n !     Cancelled (SIGINT)\n"
    assert build(dokku, "echo again") == 3


def test_what_a_script_waits_for_ends_with_the_build(dokku: Dokku, app: str) -> None:
    dokku.plugin("witness", post_extract="#!/bin/bash\necho started\nsleep 300\necho never\n")
    process = subprocess.Popen(
        [str(TREE / "bin/dokku"), "git:from-archive", app, "--"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dokku.environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(archive(GOOD))
    process.stdin.close()
    next(line for line in process.stdout if line == b"started\n")
    (sleep,) = wait_for_children(process.pid)
    assert dokku("builds:cancel", app).code == 0
    assert process.wait(timeout=30) == 143
    assert "sleep" not in words_of(sleep)
    assert dokku("builds:output", app).out == "started\n !     Cancelled (SIGTERM)\n"


def words_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def wait_for_children(pid: int) -> list[int]:
    while not (found := [child for child in descendants.of(pid) if "sleep" in words_of(child)]):
        assert words_of(pid)
        time.sleep(0.05)
    return found


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Dokku]:
    """An instance with an app, on a small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        dokku = Dokku(place)
        dokku.program("docker", _DOCKER)
        dokku.make_app("blog")
        yield dokku
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_disk_that_fills_up_ends_the_record_and_not_the_build(small: Dokku) -> None:
    """ENV-1"""
    fill = 'cat /dev/zero >"$DOKKU_LIB_ROOT/filler" 2>/dev/null; rest=$(yes again | head -n 9000)'
    kept = '[ "$(wc -l <"$DOKKU_LIB_ROOT/data/builds/blog/1.log")" -ge 2000 ]'
    wait = f"until {kept}; do sleep 0.1; done"
    script = f'yes before | head -n 2000; {wait}; {fill}; echo "$rest"; echo done >&2'
    small.plugin("witness", post_extract=f"#!/bin/sh\n{script}\nexit 3\n")

    done = small("git:from-archive", "blog", "--", input=archive(GOOD))

    assert done.code == 3
    assert done.out.endswith("again\n" * 9000)
    assert done.err.endswith("done\n")
    (one,) = listed(small)
    assert one["outcome"] == "failed"
    kept = small("builds:output", "blog").out
    assert kept.startswith("before\n" * 500)
    assert kept.endswith("\n !     The rest could not be kept: No space left on device\n")


def test_following_ends_when_nobody_reads_any_more(dokku: Dokku, app: str) -> None:
    dokku.plugin("witness", post_extract="#!/bin/sh\necho started\nexec sleep 300\n")
    words = [str(TREE / "bin/dokku")]
    builder = subprocess.Popen(
        [*words, "git:from-archive", app, "--"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dokku.environment,
    )
    assert builder.stdin is not None
    builder.stdin.write(archive(GOOD))
    builder.stdin.close()
    while "started" not in dokku("builds:output", app).out:
        assert builder.poll() is None
        time.sleep(0.1)
    follower = subprocess.Popen(
        [*words, "builds:output", app, "-f"], stdout=subprocess.PIPE, env=dokku.environment
    )
    assert follower.stdout is not None
    assert follower.stdout.readline() == b"started\n"
    follower.stdout.close()
    assert follower.wait(timeout=30) == 0
    assert dokku("builds:cancel", app).out == "-----> Cancelled build 1 of blog\n"
    assert builder.wait(timeout=30) == 143


def test_a_deploy_without_a_build_is_cancelled_as_well(dokku: Dokku, app: str) -> None:
    """LCK-2"""
    lock = dokku.root / app / ".deploy.lock"
    with subprocess.Popen(["flock", "--no-fork", str(lock), "sleep", "60"]) as process:
        while b"flock" in Path(f"/proc/{process.pid}/cmdline").read_bytes():
            time.sleep(0.05)
        about = {"pid": process.pid, "process_start": procfs.started(process.pid), "user": "jane"}
        lock.write_text(json.dumps({**about, "since": "now", "command": "ps:restart", "token": "t"}))
        refused = dokku("apps:destroy", "--force", app)
        assert f"run 'builds:cancel {app}' to end it" in refused.err
        done = dokku("builds:cancel", app)
    assert (done.out, done.code) == (f"-----> Cancelled the deploy of {app} (ps:restart)\n", 0)
    assert process.returncode == -signal.SIGTERM
