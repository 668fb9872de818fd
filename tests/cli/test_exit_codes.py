"""Each exit code of docs/exit-codes.md, by a call that ends with it."""

import fcntl
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import TREE, Dokku

PAGE = (TREE / "docs/exit-codes.md").read_text()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["apps:list"], 0),
        (["apps:exists", "blog"], 0),
        (["apps:create"], 1),
        (["apps:create", "blog"], 1),
        (["no:such-command"], 1),
        (["apps:list", "--bogus"], 2),
        (["apps:report", "blog", "--parallel"], 2),
        (["apps:exists", "nope"], 20),
        (["config:get", "nope", "KEY"], 20),
        (["git:sync", "nope", "https://git.example.com/x"], 20),
    ],
)
def test_a_call_ends_with_the_code_of_the_page(dokku: Dokku, words: list[str], code: int) -> None:
    dokku.make_app("blog")
    assert dokku(*words).code == code
    assert re.search(rf"^\| .*\b{code}\b.* \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("mode", "code"), [(0o644, 126), (None, 127)])
def test_a_program_that_is_missing_or_may_not_be_run(dokku: Dokku, mode: int | None, code: int) -> None:
    blog = dokku.make_app("blog")
    (blog / "CONTAINER.web.1").write_text("a" * 64 + "\n")
    program = Path(dokku.root.parent / "docker")
    if mode is not None:
        program.write_text("#!/bin/sh\n")
        program.chmod(mode)
    done = dokku("ps:inspect", "blog", env={"DOCKER_BIN": str(program)})
    assert done.code == code
    assert done.err.startswith(f" !     {program} ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_with_128_and_its_number(dokku: Dokku, number: signal.Signals) -> None:
    blog = dokku.make_app("blog")
    (blog / "CONTAINER.web.1").write_text("a" * 64 + "\n")
    started = dokku.root.parent / "started"
    dokku.program("docker", f"#!/bin/sh\n: >{started}\nexec sleep 600\n")
    argv = [str(TREE / "bin/dokku"), "ps:inspect", "blog"]
    process = subprocess.Popen(argv, env=dokku.environment, start_new_session=True)
    while not started.exists():
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(timeout=60) == 128 + number


def test_a_second_retire_ends_with_137(dokku: Dokku) -> None:
    dokku.make_app("blog")
    assert dokku("ps:retire").code == 0
    (lock,) = dokku.lib.glob("data/ps/retire*")
    with open(lock) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert dokku("ps:retire").code == 137
