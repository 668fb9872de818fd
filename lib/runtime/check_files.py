"""CHECKS files: which requests a new web container has to answer, and asking it.

A line is a request and what its answer must hold, an extended regular expression,
`//admin.example.com/login Sign in|Welcome`, or one of WAIT=, TIMEOUT=, ATTEMPTS=.
`{{ var "KEY" }}` stands for a variable of the app's config.
Source: dokku v0.24.0 plugins/scheduler-docker-local/check-deploy; its requests are curl's.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from lib.base import values
from lib.base.errors import DokkuError, answer_reason
from lib.tools import grep

MOST_BYTES = 4 * 1024 * 1024  # of an answer in which the text is looked for
MOST_REDIRECTS = 10
MOST_SECONDS = 24 * 3600  # and attempts

_TEXT = r'"((?:[^"\\]|\\.)*)"'
_INSIDE = re.compile(
    r'(?:"(?:[^"\\\n]|\\.)*"|(?!\}\})[^"\n])*\}\}'
)  # there is one way to read each character
_LITERAL = re.compile(_TEXT)
_VARIABLE = re.compile(r"var\s+" + _TEXT + r"(?:\s*\|\s*default\s+" + _TEXT + r")?|\$([A-Za-z_]\w*)")
_REQUEST = re.compile(r"(?:(https?):)?(/\S*)", re.IGNORECASE)
_SETTING = re.compile(r"([A-Za-z_]\w*)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"']*)(?:\s+#.*)?")
_NUMBER = re.compile(r"([0-9]{1,99})(\.[0-9]*)?s?", re.ASCII)
_SPECIAL = frozenset("\\^$.|?*+()[]{}")
_ESCAPE = re.compile(r"\\(.)")


class Check(NamedTuple):
    """One request. url: as it is shown. host: empty for none of its own. headers: names and values.

    expected: a text, or an extended regular expression.
    """

    url: str
    scheme: str
    host: str
    path: str
    expected: str
    headers: tuple[tuple[str, str], ...] = ()
    is_expression: bool = False


class Plan(NamedTuple):
    """wait: seconds before each attempt; timeout: seconds for each. notes: what is ignored, a line each."""

    checks: list[Check]
    wait: int
    timeout: int
    attempts: int
    notes: tuple[str, ...] = ()


class Refused(DokkuError):
    """A request was not answered as it should be."""


def parse(text: str, variables: Mapping[str, str], wait: int, timeout: int, attempts: int) -> Plan:
    """The plan in a CHECKS file. wait, timeout, attempts: where the file does not say otherwise.

    Raises: DokkuError for a line that is neither of what there may be, by its number; no check is left out.
    """
    numbers = {"WAIT": wait, "TIMEOUT": timeout, "ATTEMPTS": attempts}
    checks, notes = [], []
    for number, line in enumerate(map(str.strip, expand(text, variables).split("\n")), 1):
        request, *expected = line.split(maxsplit=1)[:2] or [""]
        address = _REQUEST.fullmatch(request)
        setting = _SETTING.fullmatch(line)
        if not line or line.startswith("#"):
            continue
        if address:
            checks.append(_check((address[1] or "http").lower(), address[2], "".join(expected)))
        elif setting and setting[1] in numbers:
            value = setting[2].strip("\"'").strip()
            numbers[setting[1]] = _number(setting[1], value, number) if value else numbers[setting[1]]
        elif setting:
            notes.append(f"CHECKS, line {number}: {values.printable(setting[1])} is not known; ignored")
        else:
            shown = values.printable(line[:100])
            raise DokkuError(
                f"CHECKS, line {number}: neither a request nor WAIT=, TIMEOUT=, ATTEMPTS=: {shown}"
            )
    patience = (numbers["WAIT"], max(1, numbers["TIMEOUT"]), max(1, numbers["ATTEMPTS"]))
    return Plan(checks, *patience, tuple(notes))


def _number(name: str, value: str, line: int) -> int:
    """Whole seconds, or attempts; a part of one counts as one."""
    found = _NUMBER.fullmatch(value)
    if found is None:
        raise DokkuError(f"CHECKS, line {line}: {name} must be a number, not {values.printable(value[:100])}")
    return min(int(found[1]) + bool((found[2] or "").strip(".0")), MOST_SECONDS)


def expand(text: str, variables: Mapping[str, str]) -> str:
    """The text with `{{ var "X" }}`, `{{ $X }}` and `{{"literal"}}` filled in; an unset variable is empty.

    Raises: DokkuError for any other expression, naming the line.
    """

    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    filled, at = [], 0
    while (start := text.find("{{", at)) >= 0:
        line_end = (text.find("\n", start) + 1 or len(text) + 1) - 1
        end = _end(text, start, line_end)
        value = _value(text, start, end, variables) if end else text[start:line_end]
        filled += [text[at:start], value]
        at = end or line_end
    return "".join([*filled, text[at:]])


def _end(text: str, start: int, line_end: int) -> int:
    """Where the expression that starts there ends; 0 for a line that does not close it."""
    closed = _INSIDE.match(text, start + 2)
    if closed:
        return closed.end()
    place = text.find("}}", start, line_end)  # after a quote that is not closed
    return place + 2 if place >= 0 else 0


def _value(text: str, start: int, end: int, variables: Mapping[str, str]) -> str:
    inside = text[start + 2 : end - 2].removeprefix("-").removesuffix("-").strip()
    literal = _LITERAL.fullmatch(inside)
    if literal:
        return _ESCAPE.sub(r"\1", literal[1])
    wanted = _VARIABLE.fullmatch(inside)
    if wanted is None:
        line = text.count("\n", 0, start) + 1
        raise DokkuError(f"CHECKS: unknown template expression on line {line}: {text[start:end][:200]!a}")
    return variables.get(wanted[1] or wanted[3], "") or wanted[2] or ""


def ask(check: Check, ip: str, port: str, timeout: float, has_certificate: bool = False) -> None:
    """Send one request to the container and look for the expected text. Redirects stay in the container.

    timeout: seconds for all of it. Raises: Refused.
    """
    import http.client
    import time

    if not ip:
        raise Refused(f"{check.url}: the container has no address")
    deadline = time.monotonic() + timeout
    host, path, secure = check.host or f"{ip}:{port}", check.path, has_certificate
    for _ in range(MOST_REDIRECTS):
        try:
            status, place, body = _exchange(check, ip, port, host, path, secure, deadline)
        except (OSError, ValueError, http.client.HTTPException) as error:
            late = time.monotonic() >= deadline  # we have cut the connection ourselves then
            raise Refused(f"{check.url}: {_reason(TimeoutError() if late else error, timeout)}") from error
        if status in (301, 302, 303, 307, 308) and place:
            host, path, secure = _next(place, host, path, secure)
            continue
        if status >= 400:
            raise Refused(f"{check.url}: the requested URL returned error: {status}")
        reason = _unmet(check, body, max(0.1, deadline - time.monotonic()))
        if reason is not None:
            raise Refused(f'{check.url}: expected to but did not find: "{check.expected}"{reason}')
        return
    raise Refused(f"{check.url}: more than {MOST_REDIRECTS} redirects")


def _unmet(check: Check, body: bytes, timeout: float) -> str | None:
    """None when the body holds what is expected; otherwise a reason, if there is more to say."""
    if check.expected.encode("utf-8", "surrogateescape") in body:
        return None
    if not check.is_expression or not _SPECIAL & set(check.expected):
        return ""
    try:
        return None if grep.matches(check.expected, body, timeout) else ""
    except grep.Unusable as unusable:
        return f" ({unusable.text})"


def _check(scheme: str, rest: str, expected: str) -> Check:
    if not rest.startswith("//"):
        return Check(f"{scheme}://localhost{rest}", scheme, "", rest, expected, is_expression=True)
    host, _, path = rest[2:].partition("/")
    return Check(f"{scheme}://{host}/{path}", scheme, host, f"/{path}", expected, is_expression=True)


def _exchange(
    check: Check, ip: str, port: str, host: str, path: str, secure: bool, deadline: float
) -> tuple[int, str, bytes]:
    """One request: status, where it redirects to, body. The connection is cut at the deadline."""
    import threading
    import time

    connection = _connection(check.scheme, ip, int(port), max(0.1, deadline - time.monotonic()))
    headers = {"Host": host, "User-Agent": "dokku", "Accept": "*/*", "Connection": "close"}
    if secure:
        headers["X-Forwarded-Proto"] = "https"
    headers |= {name.title(): value for name, value in check.headers}
    try:
        connection.connect()
        cutter = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, [connection.sock])
        cutter.daemon = True
        cutter.start()
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read(MOST_BYTES)
        finally:
            cutter.cancel()
        if time.monotonic() >= deadline:
            raise TimeoutError
        return (
            answer.status,
            answer.getheader("Location") or "",
            _plain(body, answer.getheader("Content-Encoding")),
        )
    finally:
        connection.close()


def _connection(scheme: str, ip: str, port: int, timeout: float) -> Any:
    import http.client

    if scheme == "http":
        return http.client.HTTPConnection(ip, port, timeout=timeout)
    import ssl

    trusting = ssl.create_default_context()  # it is our own container, and its certificate names no address
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(ip, port, timeout=timeout, context=trusting)


def _cut(sock: Any) -> None:
    import contextlib
    import socket

    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _plain(body: bytes, encoding: str | None) -> bytes:
    """The body as the app meant it: one it compressed though nobody asked is unpacked, up to the limit."""
    if encoding not in ("gzip", "deflate"):
        return body
    import zlib

    try:
        return zlib.decompressobj(47).decompress(body, MOST_BYTES)
    except zlib.error:
        return body


def _next(place: str, host: str, path: str, secure: bool) -> tuple[str, str, bool]:
    """Where a redirect leads: the host to name, the path, and whether the client would have come by https."""
    from urllib.parse import urljoin, urlsplit

    target = urlsplit(urljoin(f"{'https' if secure else 'http'}://{host}{path}", place))
    query = f"?{target.query}" if target.query else ""
    return target.netloc or host, (target.path or "/") + query, target.scheme == "https"


def _reason(error: Exception, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout:g} seconds"
    return answer_reason(error)
