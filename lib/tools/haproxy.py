"""haproxy: does a configuration hold, is it running, does it run with it. One master, with its workers.

The master answers at a socket: its own state to `show proc`, a worker's to `@!PID show info`.
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Iterable
from typing import NamedTuple

from lib.base import files, procfs, retry, run, settings
from lib.base.errors import DokkuError

MAIN, PLUGIN = "haproxy.cfg", "haproxy-vhosts"
UNIT = "dokku-haproxy.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
ENABLE = ["/usr/bin/systemctl", "enable", "--now", "--quiet", UNIT]  # sudoers allows exactly these words
DISABLE = ["/usr/bin/systemctl", "disable", "--now", "--quiet", UNIT]
PATIENCE = 30  # seconds for new workers to be there, on a machine that is busy
_LONG = 1024 * 1024  # bytes of its log that are read to find its complaint

_LOOPBACK = {"::": ("::1", "127.0.0.1"), "0.0.0.0": ("127.0.0.1",)}


class Place(NamedTuple):
    """Where haproxy has its configuration, its master's pid and socket, and what it says."""

    configuration: str
    pid_file: str
    socket: str
    log: str


class _State(NamedTuple):
    """What a master says of itself. failed: reloads since the last one that worked."""

    reloads: int
    failed: int
    workers: frozenset[int]  # all of them, those of the old configuration too


def ours() -> Place:
    """Where the haproxy of this instance has its things."""
    top = settings.data(PLUGIN)
    return Place(
        configuration=os.path.join(top, "current", MAIN),
        pid_file=os.path.join(top, "haproxy.pid"),
        socket=os.path.join(top, "master.sock"),
        log=os.path.join(settings.logs(), "haproxy", "haproxy.log"),
    )


def is_unit(place: Place) -> bool:
    """Whether systemd keeps haproxy up: bin/install has placed a unit for this very instance."""
    unit = files.read(UNIT_FILE) if settings.has_systemd() else ""
    return f" {place.configuration}\n" in unit


def program() -> str:
    """Where the program is; empty when it is not installed."""
    return shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:{settings.PATH}") or ""


def problem(configuration: str) -> str:
    """What haproxy has against a configuration, without touching any port; empty when it would take it."""
    done = run.result(verify_installed(), "-c", "-f", configuration)
    if done.status == 0:
        return ""
    said = (done.errors + done.output).decode("utf-8", "replace")
    alerts = [line for line in _alerts(said) if not line.startswith(("Error(s) found", "Fatal errors"))]
    return "; ".join(dict.fromkeys(alerts)) or said.strip() or f"status {done.status}"


def master(place: Place) -> int:
    """The pid of the running master process; 0 when there is none."""
    text = files.read(place.pid_file).strip()
    pid = int(text) if text.isascii() and text.isdigit() else 0
    words = procfs.words(pid)
    return pid if place.socket in "\0".join(words) and place.configuration in words else 0


def start(place: Place) -> None:
    """Start a master and its workers in the background. Raises: DokkuError with its reason when it can't."""
    if not os.path.exists(place.log):
        files.replace(place.log, "", mode=0o640)  # ours also where systemd would make it
    before = _size(place.log)
    words = ["-W", "-S", f"{place.socket},mode,600", "-p", place.pid_file, "-f", place.configuration]
    daemon = ["--start", "--background", "--pidfile", place.pid_file, "--output", place.log]
    files.remove(place.pid_file)
    if is_unit(place):
        run.succeeds(*_as_root(ENABLE))
    else:
        run.run("start-stop-daemon", *daemon, "--startas", verify_installed(), "--", *words)
    if not retry.until(lambda: _state(place) is not None, timeout=PATIENCE, every=0.05):
        raise DokkuError("haproxy did not start:", more=tuple(_said_since(place, before)))


def stop(place: Place, patience: float) -> None:
    """Let the workers finish what they are at, for so many seconds, and end; nothing running is success."""
    if is_unit(place):
        run.run(*_as_root(DISABLE))
        return
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGKILL):
        pid = master(place)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if retry.until(lambda: not master(place), timeout=patience, every=0.05):
            files.remove(place.pid_file)
            return


def reload(place: Place) -> None:
    """Put the configuration on disk in force: returns when the workers that had another accept no more.

    Raises: DokkuError when haproxy does not run, or keeps what it has.
    """
    state = _state(place)
    if state is None:
        raise DokkuError("haproxy is not running")
    before, said = state, _size(place.log)
    os.kill(master(place), signal.SIGUSR2)
    if not retry.until(lambda: _has_ended_reload(place, before), timeout=PATIENCE, every=0.02):
        raise DokkuError(f"haproxy did not take its new configuration within {PATIENCE} seconds")
    after = _state(place)
    if after is None or after.failed or not after.workers - before.workers:
        raise DokkuError("haproxy keeps its old configuration:", more=tuple(_said_since(place, said)))


def taken(place: Place, ports: Iterable[int], address: str) -> list[int]:
    """Those of some ports at which haproxy could not listen. As a unit of systemd's it may have low ones.

    address: `::` for every one of both kinds. Port 0 is any: taken means that the host has no such address.
    """
    return [port for port in ports if not _is_free(address, port, may_be_low=is_unit(place))]


def _is_free(address: str, port: int, may_be_low: bool) -> bool:
    import socket

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            probe.bind((address, port))
            probe.listen()
    except PermissionError:
        return may_be_low and not any(_answers(host, port) for host in _LOOPBACK.get(address, (address,)))
    except OSError:
        return False
    return True


def _answers(host: str, port: int) -> bool:
    import socket

    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def _has_ended_reload(place: Place, before: _State) -> bool:
    """Whether the new configuration was tried, and nobody accepts with the old one if it was taken."""
    now = _state(place)
    if now is None or now.reloads <= before.reloads:
        return False
    old = now.workers & before.workers
    return bool(now.failed) or (now.workers != old and all("Stopping: 1" in _info(place, pid) for pid in old))


def _info(place: Place, worker: int) -> str:
    """What a worker says of itself; one that is gone is as good as stopping."""
    return _asked(place, f"@!{worker} show info") or "Stopping: 1"


def _state(place: Place) -> _State | None:
    """None while nobody answers."""
    rows = [line.split() for line in _asked(place, "show proc").splitlines() if line[:1].isdigit()]
    masters = [row for row in rows if row[1] == "master"]
    workers = frozenset(int(row[0]) for row in rows if row[1] == "worker")
    if not masters or not workers:
        return None
    words = masters[0]
    failed = words[words.index("[failed:") + 1].rstrip("]") if "[failed:" in words else "0"
    return _State(int(words[2]), int(failed), workers)


def _asked(place: Place, question: str) -> str:
    import socket

    with socket.socket(socket.AF_UNIX) as line, contextlib.suppress(OSError):
        line.settimeout(5)
        line.connect(place.socket)
        line.sendall(f"{question}\n".encode())
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b"")).decode("utf-8", "replace")
    return ""


def _as_root(words: list[str]) -> list[str]:
    return words if os.geteuid() == 0 else ["sudo", "-n", *words]


def verify_installed() -> str:
    """Where the program is. Raises: DokkuError that says what to install."""
    found = program()
    if not found:
        raise DokkuError("haproxy is not installed, try: apt-get install haproxy")
    return found


def _said_since(place: Place, size: int) -> list[str]:
    """What it complained of after its log had that size, else its last words; visitors may fill the log."""
    with open(place.log, "rb") as log:
        log.seek(max(size, _size(place.log) - _LONG))
        said = log.read().decode("utf-8", "replace")
    return _alerts(said) or said.splitlines()[-5:]


def _alerts(said: str) -> list[str]:
    return [line.partition(" : ")[2] for line in said.splitlines() if line.startswith("[ALERT]")]


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0
