"""nginx: does its configuration hold, and is it in force. The commands themselves come from settings."""

import functools
import os
import re
import shutil

from lib.base import files, procfs, retry, run, scratch, settings
from lib.base.errors import DokkuError, NotRunning

PATIENCE = 30  # seconds for new workers to be there, on a machine that is busy
_FATAL = re.compile(r"\[emerg\] (?:\d+#\d+: )?(.+)")
_TRIAL = """pid pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen unix:socket ssl;
    ssl_certificate crt;
    ssl_certificate_key key;
  }
}
"""
_LEAVING = "is shutting down"  # what a worker's title says from the moment it accepts no more connections


def problem() -> str:
    """What nginx has against its configuration as it stands on disk; empty when it would start with it."""
    return _objections(run.result(*settings.nginx_test()))


def objection(certificate: bytes, key: bytes) -> str:
    """What nginx has against a pair in PEM format; empty when it would serve with it.

    A configuration of the pair alone is tested, as our own user: nobody is served by it, and none of the
    host's is touched. What nginx has against a pair names the file of one half (1.22); nothing else counts,
    as a build of it may lack what the trial needs. Where there is no nginx it has nothing against anything.
    """
    if not shutil.which("nginx"):
        return ""
    with scratch.directory("nginx") as place:
        for name, content in (("crt", certificate), ("key", key), ("nginx.conf", _TRIAL)):
            files.replace(os.path.join(place, name), content, lasting=False)
        words = ("nginx", "-p", f"{place}/", "-c", f"{place}/nginx.conf", "-t")
        said = _objections(run.result(*words, cwd=place))
        is_about_it = any(f'"{place}/{half}"' in said for half in ("crt", "key"))
        return said.replace(f"{place}/", "") if is_about_it else ""


def is_running() -> bool:
    return master() != 0


def master() -> int:
    """The pid of the running master process; 0 when there is none."""
    text = files.read(settings.nginx_pid_file()).strip()
    return int(text) if text.isascii() and text.isdigit() and "master process" in _title(int(text)) else 0


def reload() -> None:
    """Put the configuration on disk in force: returns when the workers that had another accept no more.

    Raises: NotRunning, or DokkuError when it keeps what it has (a port is taken by another program).
    """
    pid = master()
    if not pid:
        raise NotRunning("nginx is not running")
    before = {*procfs.children(pid), *procfs.children(pid)}  # again, for one that was left out
    _control("reloaded", settings.nginx_reload())
    if not retry.until(lambda: _has_switched(pid, before), timeout=PATIENCE, every=0.005):
        raise DokkuError(
            f"nginx did not take its new configuration within {PATIENCE} seconds, see its error log"
        )


def start() -> None:
    """Start it. Raises: DokkuError with what was said when the command fails."""
    _control("started", settings.nginx_start())


def stop() -> None:
    """Stop it. Raises: DokkuError with what was said when the command fails."""
    _control("stopped", settings.nginx_stop())


@functools.cache
def version() -> tuple[int, ...]:
    """(1, 22, 1)"""
    said = run.result("nginx", "-v").errors.decode("utf-8", "replace")
    number = said.strip().rpartition("/")[2].split(" ")[0]
    return tuple(int(part) for part in number.split(".") if part.isdigit())


def _objections(done: run.Result) -> str:
    """Of all that nginx says, what it calls an emergency, without time and pid; without one, everything."""
    if done.status == 0:
        return ""
    said = (done.errors + done.output).decode("utf-8", "replace")
    fatal = dict.fromkeys(_FATAL.findall(said))
    return "; ".join(fatal or said.strip().splitlines()) or f"status {done.status}"


def _control(participle: str, words: list[str]) -> None:
    done = run.result(*words)
    if done.status:
        said = (done.errors + done.output).decode("utf-8", "replace").strip()
        raise DokkuError(f"nginx can't be {participle}: {said or done.status}")


def _has_switched(pid: int, before: set[int]) -> bool:
    """Whether there is a new generation of workers, and nobody of the old one takes connections."""
    is_new = any(child not in before for child in procfs.children(pid))
    return is_new and all(_LEAVING in (_title(old) or _LEAVING) for old in before)


def _title(pid: int) -> str:
    """Return what a process calls itself: `nginx: worker process is shutting down`."""
    return " ".join(procfs.words(pid))
