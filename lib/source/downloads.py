"""Archives from the web: fetched by curl within limits, tried again when a failure may pass by itself."""

import os
import re
import time
from collections.abc import Callable

from lib.base import files, log, retry, values
from lib.base.errors import ArchiveRejected, DokkuError, Transient
from lib.source import failures, limits, logins, members
from lib.tools import curl

_URL = re.compile(
    r"(https?://)(?:[^/?#\\]*@)?([^/?#@\\:]+|\[[0-9a-f:.]+\])(:[0-9]+)?([/?#].*)?", re.IGNORECASE
)
_PASSING = (6, 7, 18, 28, 35, 52, 55, 56, 92)  # curl: the network failed, not the request
_TIMED_OUT, _NOT_WRITTEN, _TOO_LARGE = 28, 23, 63
_SIGXFSZ = -25
_TOO_MANY_REDIRECTS = 47


def verify_url(url: str) -> None:
    """Raises: DokkuError for what is no plain address on the web; its text shows no credentials."""
    if not _URL.fullmatch(url) or re.search(r"\s", url) or values.has_control_characters(url):
        raise DokkuError("Invalid archive url, must start with http:// or https:// and name a host")


def download(url: str, path: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Store what an address holds as a new file. Raises: DokkuError with one line that says why not."""
    deadline = time.monotonic() + limits.value("fetch-timeout")
    retry.attempts(lambda: _attempt(url, path, deadline), budget=limits.value("retry-timeout"), sleep=sleep)
    if not os.path.exists(path) or not os.path.getsize(path):  # curl makes no file of nothing
        raise ArchiveRejected("empty", "Empty archive")


def _attempt(url: str, path: str, deadline: float) -> None:
    files.remove(path)  # what an earlier attempt left is no part of this one
    most = limits.of_archives()
    done = curl.download(
        url,
        path,
        size=most.size,
        timeout=max(deadline - time.monotonic(), 0.001),
        stall=limits.value("stall-timeout"),
        user=logins.for_url(url),
        shows_progress=os.isatty(2) and not log.is_quiet(),
    )
    size = os.path.getsize(path) if os.path.exists(path) else 0
    was_stopped = done.status in (_NOT_WRITTEN, _SIGXFSZ) and size >= most.size
    members.judge_amount(most.size + 1 if was_stopped or done.status == _TOO_LARGE else size, 0, most)
    if done.status:
        raise _failure(url, done, is_late=time.monotonic() >= deadline)


def _failure(url: str, done: curl.Download, is_late: bool) -> DokkuError:
    by_status = failures.judged_status(done.code)
    reason = f"HTTP {done.code}" if done.code >= 400 else values.printable(done.error)[:300]
    if is_late and done.status == _TIMED_OUT:
        reason = f"not done within {limits.value('fetch-timeout')} seconds"
    elif done.status == _TOO_MANY_REDIRECTS:
        reason = f"more than {curl.REDIRECTS} redirects"
    elif done.status == _NOT_WRITTEN:
        reason = "no room to store it"
    text = (
        f"Unable to download {values.without_credentials(url)}: {reason or f'curl ended with {done.status}'}"
    )
    if by_status == failures.AUTH and logins.advice(url):
        return DokkuError(text, more=(logins.advice(url),))
    passing = by_status == failures.TRANSIENT if done.code >= 400 else done.status in _PASSING
    return Transient(text, after=_seconds(done.after)) if passing and not is_late else DokkuError(text)


def _seconds(text: str) -> float:
    """What a Retry-After asks for: seconds, or a date; 0 for neither."""
    if values.is_number(text):
        return max(int(text), 0)
    from email.utils import parsedate_to_datetime

    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0)
    except (ValueError, TypeError, OverflowError):
        return 0
