"""`dokku`: bin/dokku of this tree as a user meets it, in an instance that a test has for itself."""

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import instance_variables

TREE = Path(__file__).resolve().parents[2]
NOBODY = 65534
_SWITCH = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

# A docker without containers, images and networks: the real one serves others on this machine.
_EMPTY_DOCKER = """#!/bin/sh
case "$*" in
*inspect*) echo '[]'; exit 1 ;;
esac
exit 0
"""


class Result(NamedTuple):
    out: str
    err: str
    code: int


class Dokku:
    """An instance. root, lib, log: its directories; bin: a directory of programs that come first on PATH."""

    def __init__(self, place: Path) -> None:
        self.root, self.lib, self.log, self.bin = (place / name for name in ("root", "lib", "log", "bin"))
        for directory in (self.root, self.lib, self.log, self.bin):
            directory.mkdir()
        self.program("docker", _EMPTY_DOCKER)
        self.environment = {
            **instance_variables(place),
            "PATH": f"{self.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.root),
            "USER": os.environ.get("USER", "root"),
            "DOKKU_PYTHON": sys.executable,
            "DOKKU_NGINX_LOG_DIR": str(self.log),
            "DOKKU_NGINX_PID_FILE": str(place / "nginx.pid"),
            "DOKKU_NGINX_TEST_COMMAND": f"/bin/true -c {place}/nginx.conf",  # not the host's
            "DOKKU_NGINX_RELOAD_COMMAND": "/bin/true",
        }

    def __call__(
        self,
        *words: str,
        input: str | bytes | None = None,
        env: dict[str, str] | None = None,
        cwd: str | Path | None = None,
        timeout: float = 60,
    ) -> Result:
        """Run one command line. input: its stdin, none if not given. env: added to the instance's."""
        done = subprocess.run(
            [str(TREE / "bin/dokku"), *words],
            input=input.encode("utf-8", "surrogateescape") if isinstance(input, str) else input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            env={**self.environment, **(env or {})},
            cwd=cwd,
            timeout=timeout,
            check=False,
        )
        out, err = (said.decode("utf-8", "surrogateescape") for said in (done.stdout, done.stderr))
        return Result(out, err, done.returncode)

    def pty(
        self, *words: str, input: str = "", env: dict[str, str] | None = None, timeout: float = 60
    ) -> Result:
        """Run one command line at a terminal. input: what is typed there. All it says is in `out`."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [str(TREE / "bin/dokku"), *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**self.environment, "TERM": "dumb", **(env or {})},
        )
        os.close(theirs)
        if input:
            os.write(ours, input.encode())
        said, deadline = b"", time.monotonic() + timeout
        try:
            while select.select([ours], [], [], max(0, deadline - time.monotonic()))[0]:
                chunk = os.read(ours, 65536)
                if not chunk:
                    break
                said += chunk
        except OSError:  # the last one at the terminal has left
            pass
        finally:
            os.close(ours)
            if time.monotonic() >= deadline:
                process.kill()
        code = process.wait(timeout=10)
        return Result(said.decode("utf-8", "surrogateescape").replace("\r\n", "\n"), "", code)

    def ssh(
        self,
        original: str,
        name: str = "default",
        input: str | bytes | None = None,
        env: dict[str, str] | None = None,
    ) -> Result:
        """What the forced command of a key does: no words of its own, the client's in the environment."""
        env = {"SSH_ORIGINAL_COMMAND": original, "NAME": name, "FINGERPRINT": "SHA256:none", **(env or {})}
        return self(input=input, env=env)

    def make_app(self, name: str) -> Path:
        """An app, made by the program itself; its directory."""
        made = self("apps:create", name)
        assert made.code == 0, made
        return self.root / name

    def program(self, name: str, script: str) -> Path:
        """Put a program of ours before the real one of that name."""
        return _executable(self.bin / name, script)

    def plugin(self, name: str, **files: str) -> Path:
        """Drop an enabled plugin in; files: executables by name, `_` standing for `-`."""
        directory = self.lib / "plugins/enabled" / name
        directory.mkdir(parents=True, exist_ok=True)
        for file, script in files.items():
            _executable(directory / file.replace("_", "-"), script)
        return directory

    def recorded(self, name: str) -> Callable[[], list[list[str]]]:
        """Let a program of that name write down its words and succeed; what it was called with so far."""
        notes = self.bin / f"{name}.calls"
        line = f"printf '%s\\n' \"$@\" END >>{shlex.quote(str(notes))}"
        self.program(name, f"#!/bin/sh\n{line}\n")

        def calls() -> list[list[str]]:
            text = notes.read_text() if notes.exists() else ""
            return [entry.split("\n") for entry in re.findall(r"(.*?)\nEND\n", text, re.DOTALL)]

        return calls


@pytest.fixture
def dokku(tmp_path: Path) -> Dokku:
    """bin/dokku in a throw-away instance: `dokku("apps:list").out`."""
    return Dokku(tmp_path)


@pytest.fixture
def nobodys() -> Iterator[Dokku]:
    """An instance whose system user is nobody, in a place where that user can go; for tests run by root."""
    if os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    _verify_nobody_reads(os.path.realpath(sys.executable))
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        os.chmod(place, 0o755)
        dokku = Dokku(Path(place))
        dokku.environment |= {"DOKKU_SYSTEM_USER": "nobody", "DOKKU_SYSTEM_GROUP": "nogroup"}
        for directory in (dokku.root, dokku.lib):
            os.chown(directory, NOBODY, NOBODY)
        yield dokku


def as_nobody(*words: str, env: dict[str, str], input: str = "") -> Result:
    """Run a command line as the user nobody."""
    program = str(TREE / "bin/dokku")
    _verify_nobody_reads(program, sys.executable)
    done = subprocess.run(
        [*_SWITCH, program, *words],
        env=env,
        input=input.encode(),
        capture_output=True,
        cwd="/",
        check=False,
        start_new_session=True,  # without our terminal
    )
    return Result(done.stdout.decode(), done.stderr.decode(), done.returncode)


def _verify_nobody_reads(*paths: str) -> None:
    for path in paths:
        if subprocess.run([*_SWITCH, "test", "-r", path], check=False).returncode:
            pytest.skip(f"nobody can't read {path}")


def _executable(path: Path, script: str) -> Path:
    path.write_text(script)
    path.chmod(0o755)
    return path
