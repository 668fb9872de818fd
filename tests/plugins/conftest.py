"""`dokku` as in tests/cli, and `plugn` beside it: bin/plugn of this tree in the same instance."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import TREE, Dokku, Result


@pytest.fixture
def dokku(tmp_path: Path) -> Dokku:
    """A throw-away instance; `plugn` and `dokku` are on the PATH of its plugins' scripts."""
    made = Dokku(tmp_path)
    for name in ("plugn", "dokku"):
        made.program(name, f'#!/bin/sh\nexec {shlex.quote(str(TREE / "bin" / name))} "$@"\n')
    return made


@pytest.fixture
def plugn(dokku: Dokku) -> Callable[..., Result]:
    """Run one `plugn` command line. input: its stdin."""

    def call(*words: str, input: str = "", env: dict[str, str] | None = None) -> Result:
        done = subprocess.run(
            [str(TREE / "bin/plugn"), *words],
            input=input,
            capture_output=True,
            env={**dokku.environment, **(env or {})},
            timeout=60,
            check=False,
            text=True,
        )
        return Result(done.stdout, done.stderr, done.returncode)

    return call
