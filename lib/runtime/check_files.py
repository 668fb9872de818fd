"""CHECKS files: which requests a new web container has to answer, and asking it.

A line is a request and the text its answer must hold, `//admin.example.com/login Sign in`, or one of WAIT=,
TIMEOUT=, ATTEMPTS=. `{{ var "KEY" }}` stands for a variable of the app's config.
Source: dokku v0.24.0 plugins/scheduler-docker-local/check-deploy; its requests are curl's.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from lib.base import values
from lib.base.errors import DokkuError, answer_reason

MOST_BYTES = 4 * 1024 * 1024  # of an answer in which the text is looked for
MOST_REDIRECTS = 10
MOST_SECONDS = 24 * 3600  # and attempts

_TEXT = r'"((?:[^"\\]|\\.)*)"'
_INSIDE = re.compile(
    r'(?:"(?:[^"\\\n]|\\.)*"|(?!\}\})[^"\n])*\}\}'
)  # there is one way to read each character
_LITERAL = re.compile(_TEXT)
_VARIABLE = re.compile(r"var\s+" + _TEXT + r"(?:\s*\|\s*default\s+" + _TEXT + r")?|\$([A-Za-z_]\w*)")
_REQUEST = re.compile(r"(?:(https?):)?(/\S*)")
_SETTING = re.compile(r"(WAIT|TIMEOUT|ATTEMPTS)\s*=\s*(\S*)(?:\s+#.*)?")
_ESCAPE = re.compile(r"\\(.)")


class Check(NamedTuple):
    """One request. url: as it is shown. host: empty for none of its own. headers: names and values."""

    url: str
    scheme: str
    host: str
    path: str
    expected: str
    headers: tuple[tuple[str, str], ...] = ()


class Plan(NamedTuple):
    """wait: seconds before each attempt; timeout: seconds for each."""

    checks: list[Check]
    wait: int
    timeout: int
    attempts: int


class Refused(DokkuError):
    """A request was not answered as it should be."""


def parse(text: str, variables: Mapping[str, str], wait: int, timeout: int, attempts: int) -> Plan:
    """The plan in a CHECKS file. wait, timeout, attempts: where the file does not say otherwise.

    Raises: DokkuError for a template expression that is not known.
    """
    numbers = {"WAIT": wait, "TIMEOUT": timeout, "ATTEMPTS": attempts}
    checks = []
    for line in map(str.strip, expand(text, variables).split("\n")):
        setting = _SETTING.fullmatch(line)
        request, _, expected = line.partition(" ")
        address = _REQUEST.fullmatch(request)
        if setting and values.is_number(setting[2]):
            numbers[setting[1]] = min(max(0, int(setting[2])), MOST_SECONDS)
        elif address:
            checks.append(_check(address[1] or "http", address[2], expected.strip()))
    return Plan(checks, numbers["WAIT"], max(1, numbers["TIMEOUT"]), max(1, numbers["ATTEMPTS"]))


def expand(text: str, variables: Mapping[str, str]) -> str:
    """The text with `{{ var "X" }}`, `{{ $X }}` and `{{"literal"}}` filled in; an unset variable is empty.

    Raises: DokkuError for any other expression, naming the line.
    """

    text, filled, at = text.replace("\r\n", "\n"), [], 0
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
        if check.expected.encode("utf-8", "surrogateescape") not in body:
            raise Refused(f'{check.url}: expected to but did not find: "{check.expected}"')
        return
    raise Refused(f"{check.url}: more than {MOST_REDIRECTS} redirects")


def _check(scheme: str, rest: str, expected: str) -> Check:
    if not rest.startswith("//"):
        return Check(f"{scheme}://localhost{rest}", scheme, "", rest, expected)
    host, _, path = rest[2:].partition("/")
    return Check(f"{scheme}://{host}/{path}", scheme, host, f"/{path}", expected)


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
