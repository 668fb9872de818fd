"""`version --verbose`: which dokku this is, and the versions of the programs it works with."""

import os
import platform
import re

from lib.base import files, log, run, settings
from lib.base.errors import DokkuError

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
COMMIT = "COMMIT"  # a file that bin/install writes: the commit it was made of, and its date
_NUMBER = re.compile(r"\d+(?:\.\d+)+\S*")
_PROGRAMS = (  # asked one by one; those that are not installed are left out
    ("git", ("git", "--version")),
    ("nginx", ("/usr/sbin/nginx", "-v")),
    ("haproxy", ("/usr/sbin/haproxy", "-v")),
    ("lego", ("lego", "--version")),
    ("ssh", ("ssh", "-V")),
)


def show(shape: str) -> None:
    """Print every version, as lines or as a JSON object. shape: stdout or json."""
    if shape not in ("stdout", "json"):
        raise DokkuError(f"Invalid output format specified, supported formats: json, stdout: {shape}")
    known = found()
    if shape == "json":
        import json

        log.plain(json.dumps(known))
        return
    log.plain(f"dokku version {settings.VERSION}")
    log.columns([(f"{name}:", text) for name, text in known.items() if name != "version"])


def found() -> dict[str, str]:
    """Each version by name: of dokku, of the Dokku whose interface it has, of Python and of host programs."""
    commit, _, date = files.read(os.path.join(TREE, COMMIT)).strip().partition(" ")
    known = {
        "version": settings.VERSION,
        "contract": settings.VERSION.rpartition(".")[0],
        "commit": commit,
        "date": date,
        "program": TREE,
        "python": platform.python_version(),
        "docker": _said(settings.docker(), "version", "--format={{.Server.Version}}"),
        **{name: _version(_said(*argv)) for name, argv in _PROGRAMS},
    }
    return {name: text for name, text in known.items() if text}


def _version(text: str) -> str:
    match = _NUMBER.search(text)
    return match[0].rstrip(",") if match else ""


def _said(*argv: str) -> str:
    """What a program says, on stdout or stderr; empty when it can't be run or fails."""
    try:
        done = run.result(*argv, timeout=10)
    except DokkuError:
        return ""
    if done.status:
        return ""
    return (done.output + done.errors).decode("utf-8", "replace").strip()
