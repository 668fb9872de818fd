"""`--all` and `--parallel`: what a user sees of many apps at once."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import TREE, Dokku

APPS = ("ant", "bee", "cat", "dog")
# Says where it is, and waits until a file lets it go on.
_WAITS = """#!/bin/sh
echo "building $1"
touch "{place}/$1.began"
while [ ! -e "{place}/go" ]; do sleep 0.05; done
"""


@pytest.fixture
def many(dokku: Dokku) -> Dokku:
    for app in APPS:
        dokku.make_app(app)
    return dokku


@pytest.mark.parametrize("parallel", [[], ["--parallel", "3"]])
def test_the_failed_apps_are_named_after_the_count(many: Dokku, parallel: list[str]) -> None:
    """PAR-1"""
    many.plugin("zz", proxy_build_config='#!/bin/sh\n[ "$1" != bee ] && [ "$1" != dog ]\n')
    done = many("proxy:build-config", "--all", *parallel)
    assert done.code == 1
    assert done.err.splitlines()[-1] == " !     Failed apps: bee, dog"
    assert re.fullmatch(r" !     .* 2 errors( during parallel run)?", done.err.splitlines()[-2])


def test_an_app_that_goes_meanwhile_has_failed(many: Dokku) -> None:
    """PAR-5"""
    many.plugin("zz", proxy_build_config=f'#!/bin/sh\n[ "$1" = ant ] && rm -r "{many.root}/cat"\nexit 0\n')
    done = many("proxy:build-config", "--all")
    assert done.code == 1
    assert " !     Error running build-config against app cat: App cat does not exist\n" in done.err
    assert done.err.endswith(" !     Failed apps: cat\n")


def test_a_locked_app_is_the_only_one_that_fails(many: Dokku) -> None:
    """PAR-8"""
    for app in APPS:
        (many.root / app / "CONTAINER.web.1").write_text("0" * 64)
    many("apps:lock", "bee")
    done = many("ps:stop", "--all", "--parallel", "2")
    assert done.code == 1
    assert done.err.endswith(" !     Failed apps: bee\n")


def test_the_lines_of_an_app_stay_together_however_its_programs_speak(many: Dokku) -> None:
    """PAR-4"""
    script = '#!/bin/sh\nfor n in 1 2 3 4 5; do echo "$1 out"; echo "$1 err" >&2; sleep 0.01; done\n'
    many.plugin("zz", proxy_build_config=script)
    done = many("proxy:build-config", "--all", "--parallel", "4")
    for said in (done.out, done.err):
        lines = [line.split()[0] for line in said.splitlines() if line.split()[-1] in ("out", "err")]
        assert [app for app, before in zip(lines, ["", *lines], strict=False) if app != before] == list(
            dict.fromkeys(lines)
        )


def test_a_terminal_is_told_how_far_it_is_and_keeps_no_trace_of_it(many: Dokku) -> None:
    said = many.pty("proxy:build-config", "--all", "--parallel", "2").out
    assert "build-config: 0 of 4 apps" in said
    assert "build-config: 3 of 4 apps" in said
    screen = [line.rpartition("\r")[2].strip() for line in said.split("\n")]
    assert sorted(line for line in screen if line) == [
        f"-----> Running command against {app}" for app in APPS
    ]


def test_a_pipe_gets_no_progress(many: Dokku) -> None:
    """IO-9"""
    done = many("proxy:build-config", "--all", "--parallel", "2")
    assert "\r" not in done.out + done.err
    assert " of 4 apps" not in done.out + done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_batch_says_what_is_done(many: Dokku, number: int, workers: str) -> None:
    """PAR-3"""
    many.plugin("zz", proxy_build_config=_WAITS.format(place=many.root))
    process = start(many, "proxy:build-config", "--all", "--parallel", workers)
    wait_for(many.root / "ant.began")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    lines = err.decode().splitlines()
    assert " !     Interrupted: 0 of 4 apps done" in lines
    assert "dog" in lines[-1].removeprefix(" !     Not done: ").split(", ")
    assert not (many.root / "dog.began").exists()


def test_clearing_everything_takes_a_number_of_workers_and_is_one_step(many: Dokku) -> None:
    many.plugin("zz", proxy_clear_config=f'#!/bin/sh\necho "$*" >>"{many.root}/calls"\n')
    assert many("proxy:clear-config", "--all", "--parallel", "3").code == 0
    assert (many.root / "calls").read_text() == "--all\n"
    refused = many("proxy:clear-config", "--all", "--parallel", "-2")
    assert (refused.code, refused.err) == (1, " !     Invalid value -2 for --parallel flag\n")


def start(dokku: Dokku, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(TREE / "bin/dokku"), *words],
        env=dokku.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not os.path.exists(path):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("words", [["--all"], ["--all", "--parallel", "3"], ["--parallel=2"]])
@pytest.mark.parametrize("report", ["apps", "certs", "domains", "git", "network", "proxy", "ps"])
def test_every_report_takes_the_words_of_a_batch(many: Dokku, report: str, words: list[str]) -> None:
    plain = many(f"{report}:report", "--format", "json")
    assert plain.out.count("\n") == len(APPS)
    assert many(f"{report}:report", "--format", "json", *words) == plain


@pytest.mark.parametrize("report", ["certs", "ports", "resource"])
def test_a_report_on_apps_only_is_not_one_on_the_host(many: Dokku, report: str) -> None:
    said = " !     This report says nothing of the host as a whole\n"
    assert many(f"{report}:report", "--global") == ("", said, 1)


def test_checks_of_all_apps_leave_out_those_without_containers(many: Dokku) -> None:
    done = many("checks:run", "--all", "--parallel", "2")
    assert done.code == 0
    assert sorted(done.err.splitlines()) == [f" !     App {app} has not been deployed" for app in APPS]


def test_syncing_all_apps_asks_each_ones_last_remote(many: Dokku) -> None:
    for app, remote in (("ant", "https://127.0.0.1:1/ant.git"), ("cat", "https://127.0.0.1:1/cat.git")):
        for key, value in (("sync-remote", remote), ("sync-ref", "main")):
            path = many.lib / f"config/git/{app}/{key}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(value)
    calls = many.recorded("git")
    done = many("git:sync", "--all", "--build-if-changes", "--parallel", "2")
    assert done.code == 1  # this git finds nothing
    assert done.err.endswith(" !     Failed apps: ant, cat\n")
    fetched = {word for call in calls() if "fetch" in call or "ls-remote" in call for word in call}
    assert {"https://127.0.0.1:1/ant.git", "https://127.0.0.1:1/cat.git"} <= fetched


def test_syncing_all_apps_when_none_was_synced_is_a_warning(many: Dokku) -> None:
    warning = " !     No app has been synced yet: name an app and its remote once\n"
    assert many("git:sync", "--all") == ("", warning, 0)


def test_syncing_all_apps_takes_no_remote(many: Dokku) -> None:
    refused = many("git:sync", "--all", "ant", "https://127.0.0.1:1/x.git")
    assert refused.code == 1
    assert refused.err == " !     With --all, git:sync takes no app, remote or ref: each app keeps its own\n"


def test_a_number_of_workers_means_nothing_for_one_app(many: Dokku) -> None:
    for command in ("proxy:clear-config", "proxy:build-config"):
        assert many(command, APPS[0], "--parallel", "-7").code == 0
