"""What every test gets: an environment of its own; and `shell` and `fs` for those that start no program."""

import collections
import contextlib
import grp
import importlib
import os
import pwd
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import pytest
from pyfakefs.fake_filesystem_unittest import Patcher

from lib.base import outputs

_OURS = re.compile(r"(DOKKU_|PLUGIN_|SSH_|DOCKER_|GIT_).*|NAME|FINGERPRINT")
# These talk to descriptors that a fake file system does not have; tempfile opens pytest's capture files.
_REAL_FILES = [f"lib.base.{name}" for name in ("log", "memory", "outputs", "run", "tee")] + [
    "tests.conftest",
    "tests.unit.host_access",
    "tempfile",
]
# What one process remembers, and every command is a process of its own; so is every test, in any order.
_MEMORIES = (
    ("lib.base.signals", "_interrupted"),
    ("lib.app.app_json", "_sources"),
    ("lib.app.ports", "_taken"),
    ("lib.build.images", "_files"),
    ("lib.build.records", "_under_way"),
    ("lib.runtime.cron_jobs", "_told"),
    ("lib.runtime.own_networks", "_refused"),
    ("lib.runtime.releases", "_going_back_to"),
    ("lib.runtime.releases", "_made"),
    ("lib.runtime.releases", "_under_way"),
    ("lib.runtime.uptime", "_given_up"),
    ("lib.proxy.nginx_texts", "has_ipv6"),
    ("lib.tools.nginx", "version"),
)

# Loaded by name when they are fired: never within a test's own file system, which would stay theirs.
for _trigger in (Path(__file__).parents[1] / "triggers").glob("[a-z]*.py"):
    importlib.import_module(f"triggers.{_trigger.stem}")

for _number in (signal.SIGINT, signal.SIGHUP):  # ignored in what a shell starts in the background
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler)

hypothesis.settings.register_profile("dokku", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("dokku")


class Call(NamedTuple):
    """One start of a program, as `run._spawn` was asked for it. stdin: what it would have read."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    stdin: bytes
    timeout: float


class Answer(NamedTuple):
    out: bytes
    err: bytes
    status: int
    does: Callable[[list[str]], object] | None


# Each app has its network already, as after its first deploy.
APP_NETWORK = "docker network inspect '--format={{json .}}' -- dokku.app.…"


class Shell:
    """In place of every program. ran: the command lines, quoted where a shell would need it.

    handed: variables whose values docker's relay would have put into requests, one mapping per relay.
    """

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.handed: list[dict[str, str]] = []
        self.calls: list[Call] = []
        self._answers: dict[str, collections.deque[Answer]] = {}
        self.answers(APP_NETWORK, out='{"IPAM": {"Config": [{"Subnet": "172.16.9.0/25"}]}}\n')

    def answers(
        self,
        pattern: str,
        out: str | bytes = "",
        err: str | bytes = "",
        status: int = 0,
        does: Callable[[list[str]], object] | None = None,
    ) -> None:
        """What the program of a command line says from now on; `…` in a pattern stands for any words.

        Several answers to one pattern are given one after another, the last of them for good. Of several
        patterns that match, the newest counts. does: called with the words, for effects.
        """
        queue = self._answers.setdefault(pattern, collections.deque())
        queue.append(Answer(_bytes(out), _bytes(err), status, does))

    def spawn(
        self,
        argv: list[str],
        cwd: str,
        env: dict[str, str],
        stdin: int,
        stdout: outputs.Target,
        stderr: outputs.Target,
        timeout: float,
        _stall: float = 0,
    ) -> int:
        line = shlex.join(argv)
        self.ran.append(line)
        self.calls.append(Call(argv, cwd, env, _what_is_in(stdin), timeout))
        answer = self._answer(line)
        if answer is None:
            return 0
        for target, said in ((stdout, answer.out), (stderr, answer.err)):
            tell(target, said)
        if answer.does:
            answer.does(argv)
        return answer.status

    @contextlib.contextmanager
    def filling(self, variables: Mapping[str, str]) -> Iterator[dict[str, str | None]]:
        self.handed.append(dict(variables))
        yield {"DOCKER_HOST": "unix:///relay"}

    def _answer(self, line: str) -> Answer | None:
        for pattern, queue in reversed(self._answers.items()):
            if re.fullmatch(".*".join(re.escape(part) for part in pattern.split("…")), line, re.DOTALL):
                return queue.popleft() if len(queue) > 1 else queue[0]
        return None


def tell(target: outputs.Target, said: bytes) -> None:
    """Write as a program would."""
    if isinstance(target, outputs.Pipe):
        if said:
            target.take(said)
        return
    while said:
        said = said[os.write(target, said) :]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """No program starts: `shell.ran` are those that would have, `shell.answers` is what they say."""
    replacement = Shell()
    monkeypatch.setattr("lib.base.run._spawn", replacement.spawn)
    monkeypatch.setattr("lib.tools.docker_relay.filling", replacement.filling)
    return replacement


@pytest.fixture
def fs() -> Iterator[Any]:
    """A file system in memory, with an empty instance's directories. Never together with a real program."""
    with Patcher(additional_skip_names=_REAL_FILES) as patcher:
        assert patcher.fs is not None
        for name in ("DOKKU_ROOT", "DOKKU_LIB_PATH", "DOKKU_LOGS_DIR"):
            patcher.fs.create_dir(os.environ[name])
        yield patcher.fs


@pytest.fixture(autouse=True)
def environment(tmp_path: Path) -> Iterator[None]:
    """The environment of an instance that has nothing, below tmp_path; the test's own changes end with it."""
    before = dict(os.environ)
    for name in before:
        if _OURS.fullmatch(name):
            del os.environ[name]
    os.environ.update(instance_variables(tmp_path))
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def memories() -> Iterator[None]:
    """What lib remembers for the length of a process goes with the test."""
    yield
    for module, name in _MEMORIES:
        if module in sys.modules:
            memory = getattr(sys.modules[module], name)
            (getattr(memory, "cache_clear", None) or memory.clear)()


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip a test, and say so, on a machine that lacks one of these programs."""
    absent = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(absent), reason=f"needs {', '.join(absent)}")


def instance_variables(place: Path) -> dict[str, str]:
    """What makes an instance below a directory another one than the host's, where nobody switches user."""
    return {
        "DOKKU_ROOT": str(place / "root"),
        "DOKKU_LIB_PATH": str(place / "lib"),
        "DOKKU_LOGS_DIR": str(place / "log"),
        "DOKKU_NGINX_LOG_DIR": str(place / "nginx-log"),
        "DOKKU_NGINX_PID_FILE": str(place / "nginx.pid"),
        "DOKKU_SYSTEM_USER": pwd.getpwuid(os.geteuid()).pw_name,
        "DOKKU_SYSTEM_GROUP": grp.getgrgid(os.getegid()).gr_name,
        "DOKKU_DEFAULTS_FILE": os.devnull,
    }


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def _what_is_in(stdin: int) -> bytes:
    """What a program would read from here; nothing of the test runner's own stdin, or of a file in memory."""
    chunks = []
    with contextlib.suppress(OSError):
        while stdin and (chunk := os.read(stdin, 65536)):
            chunks.append(chunk)
    return b"".join(chunks)
