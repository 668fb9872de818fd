"""curl: one download over http or https, within limits of size and time."""

import re
from typing import NamedTuple

from lib.base import run
from lib.base.errors import ToolFailed
from lib.tools import prlimit

CONNECT_TIMEOUT = 15  # seconds
SLOWEST = 256  # bytes a second
_ANSWERS = 1024 * 1024  # bytes that curl may tell
REDIRECTS = 10
_ANSWER = "%{response_code}\\n%header{retry-after}\\n%{errormsg}\\n"


class Download(NamedTuple):
    """status: curl's own, 0 for success. code: the last status of HTTP, 0 for none. after: Retry-After.

    error: why it failed, in curl's words.
    """

    status: int
    code: int
    after: str
    error: str


def download(
    url: str,
    path: str,
    size: int,
    timeout: float,
    stall: float,
    user: tuple[str, str] = ("", ""),
    shows_progress: bool = False,
) -> Download:
    """Store what an address holds as a file of at most size bytes; how that went.

    The address goes over stdin, where no other user of the machine sees its credentials. timeout: seconds for
    all of it. stall: seconds in which it may be slower than SLOWEST. user: name and password for the address,
    and for no other that it redirects to.
    """
    said: list[bytes] = []
    words = prlimit.argv(size, *_argv(path, size, timeout, stall, shows_progress))
    try:
        config = _config("url", url) + (_config("user", ":".join(user)) if user[0] else b"")
        how: run.How = {"stdin": config, "env": {"LC_ALL": "C"}, "timeout": timeout + 60}
        run.stream(*words, each=said.append, most=_ANSWERS, **how)
    except ToolFailed as error:
        status = error.status
    else:
        status = 0
    code, after, why = [*b"".join(said).decode("utf-8", "replace").split("\n", 2), "", "", ""][:3]
    return Download(status, int(code) if code.isdigit() else 0, after.strip(), why.strip())


def _argv(path: str, size: int, timeout: float, stall: float, shows_progress: bool) -> list[str]:
    """No configuration of the user, no other protocol, not even by redirection."""
    return [
        "curl",
        "--disable",
        *("--config", "-"),
        "--progress-bar" if shows_progress else "--silent",
        "--globoff",
        "--fail",
        "--location",
        *("--max-redirs", str(REDIRECTS)),
        *("--proto", "=http,https"),
        *("--proto-redir", "=http,https"),
        *("--connect-timeout", str(CONNECT_TIMEOUT)),
        *("--speed-time", f"{stall:.0f}"),
        *("--speed-limit", str(SLOWEST)),
        *("--max-time", f"{timeout:.3f}"),
        *("--max-filesize", str(size)),
        *("--write-out", _ANSWER),
        *("--output", path),
    ]


def _config(key: str, value: str) -> bytes:
    """A line of curl's configuration: a quoted value, in which a backslash takes what follows as it is."""
    quoted = re.sub(r'(["\\])', r"\\\1", value)
    return f'{key} = "{quoted}"\n'.encode("utf-8", "surrogateescape")
