"""A relay between docker's client and its daemon that adds the values of an app's variables.

docker's client parses the options; `--env KEY` and `--build-arg KEY` without a value name a variable, and the
relay puts the value into the request that creates a container, or that starts a build by the classic builder.
So an app's values are in no argument, environment or file of a program of this host, and may be any text.
A connection carries one request, or what an upgrade makes of it; all but those two requests pass unread.
Source: the Engine API 1.24 to 1.50, POST /containers/create and POST /build.
"""

import contextlib
import functools
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lib.base import environment, log, run, scratch, settings
from lib.base.errors import DokkuError

if TYPE_CHECKING:
    import socket

SOCKET = "/var/run/docker.sock"
_LONGEST_PATH = 107  # bytes of a socket's name
_LONGEST_HEAD = 1024 * 1024
_CREATE = re.compile(rb"POST (?:/v[0-9.]+)?/containers/create[ ?]")
_BUILD = re.compile(rb"POST ((?:/v[0-9.]+)?/build)\?(\S*) ")
_LENGTH = re.compile(rb"\r\nContent-Length: *([0-9]+)(?=\r\n)", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nUpgrade:", re.IGNORECASE)
_KEPT_OPEN = re.compile(rb"\r\nConnection:[^\r\n]*", re.IGNORECASE)
_NOT_OURS = ("DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
Valued = Callable[[str, str | None], str | None]  # name, value so far: the value


@contextlib.contextmanager
def filling(variables: Mapping[str, str]) -> Iterator[environment.Env]:
    """What makes docker's client reach its daemon through a relay, as a change of its environment.

    variables: the values of what the client's options may name. The relay ends with the block or with this
    process; so does what the client has under way.
    Raises: DokkuError for a daemon that only docker's own client can reach.
    """
    import socket

    address = _address()
    for name in sorted(name for name, value in variables.items() if _is_altered(value)):
        log.warn(f"The value of {name} is no valid UTF-8: docker puts U+FFFD for the bytes that are not")
    with _directory() as place, socket.socket(socket.AF_UNIX) as server:
        change = {**dict.fromkeys(_NOT_OURS), "DOCKER_HOST": f"unix://{place}/docker"}
        valued = functools.partial(_value, variables, environment.given(change))
        server.bind(f"{place}/docker")
        server.listen()
        _beside(_accept, server, address, valued)
        try:
            yield change
        finally:
            server.shutdown(socket.SHUT_RDWR)


def _address() -> str | tuple[str, int]:
    """Where the daemon is: a socket's path, or a host and a port."""
    named = os.environ.get("DOCKER_HOST", "")
    if not named and _has_context():
        shape = "--format={{.Endpoints.docker.Host}}"
        named = run.capture(settings.docker(), "context", "inspect", shape, timeout=30).strip()
    scheme, _, place = named.partition("://")
    if scheme in ("", "unix"):
        return place or SOCKET
    host, _, port = place.rstrip("/").rpartition(":")
    if scheme == "tcp" and port.isdigit() and not os.environ.get("DOCKER_TLS_VERIFY"):
        return host.strip("[]") or "127.0.0.1", int(port)
    raise DokkuError(
        f"Values of variables can't be handed to the docker daemon at {scheme}://, only to unix://"
    )


def _has_context() -> bool:
    """Whether the operator chose one of the client's contexts, which name a daemon."""
    if os.environ.get("DOCKER_CONTEXT"):
        return True
    own = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    try:
        with open(os.path.join(own, "config.json"), encoding="utf-8") as file:
            return bool(json.load(file).get("currentContext"))
    except (OSError, ValueError, AttributeError):
        return False


@contextlib.contextmanager
def _directory() -> Iterator[str]:
    """A private directory whose path is short enough for a socket in it."""
    with scratch.directory("docker") as place:
        if len(os.fsencode(f"{place}/docker")) <= _LONGEST_PATH:
            yield place
            return
        short = f"/tmp/dokku.{os.urandom(12).hex()}"
        os.mkdir(short, 0o700)
        try:
            yield short
        finally:
            shutil.rmtree(short, ignore_errors=True)


def _is_altered(value: str) -> bool:
    """Whether a value holds bytes that no text has, kept by Python as lone surrogates."""
    return any("\ud800" <= letter <= "\udfff" for letter in value) if not value.isascii() else False


def _value(variables: Mapping[str, str], own: Mapping[str, str], name: str, value: str | None) -> str | None:
    """The app's value of what an option names alone: for that, the client takes its own value, or none."""
    return variables[name] if name in variables and value in (None, own.get(name)) else value


def _accept(server: "socket.socket", address: str | tuple[str, int], valued: Valued) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        _beside(_serve, client, address, valued)


def _serve(client: "socket.socket", address: str | tuple[str, int], valued: Valued) -> None:
    """Pass one request on, and the answer back until the daemon ends it."""
    import socket

    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with client, socket.socket(family) as daemon, contextlib.suppress(OSError):
        try:
            request = _request(client, valued)
            daemon.connect(address)
        except OSError as error:
            client.sendall(_refusal(f"Cannot connect to the Docker daemon at {address}: {error.strerror}"))
            return
        except ValueError:
            client.sendall(_refusal("A request of docker's client could not be read"))
            return
        daemon.sendall(request)
        _beside(_pump, client, daemon)
        _pump(daemon, client)


def _request(client: "socket.socket", valued: Valued) -> bytes:
    """The start of a request as the daemon is to get it."""
    data = b""
    while b"\r\n\r\n" not in data and len(data) < _LONGEST_HEAD:
        more = client.recv(65536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    if not _UPGRADE.search(head):
        head = _KEPT_OPEN.sub(b"", head) + b"\r\nConnection: close"
    if _CREATE.match(head):
        length = _LENGTH.search(head)
        if length is None:
            raise ValueError("no length")
        while len(body) < int(length[1]) and (more := client.recv(1024 * 1024)):
            body += more
        body = _with_env(body, valued)
        head = _LENGTH.sub(b"\r\nContent-Length: %d" % len(body), head)
    build = _BUILD.match(head)
    if build:
        head = b"POST %s?%s " % (build[1], _with_arguments(build[2], valued)) + head[build.end() :]
    return head + b"\r\n\r\n" + body


def _with_env(body: bytes, valued: Valued) -> bytes:
    wanted: dict[str, Any] = json.loads(body)
    entries = [entry.partition("=") for entry in wanted.get("Env") or []]
    pairs = [(name, valued(name, value if equals else None)) for name, equals, value in entries]
    wanted["Env"] = [name if value is None else f"{name}={value}" for name, value in pairs]
    return json.dumps(wanted).encode()


def _with_arguments(query: bytes, valued: Valued) -> bytes:
    from urllib import parse

    pairs = parse.parse_qsl(query.decode(), keep_blank_values=True)
    named = json.loads(dict(pairs).get("buildargs") or "{}")
    filled = json.dumps({name: valued(name, value) for name, value in named.items()})
    return parse.urlencode([(key, filled if key == "buildargs" else text) for key, text in pairs]).encode()


def _refusal(text: str) -> bytes:
    body = json.dumps({"message": text}).encode()
    return b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\n" + (
        b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    )


def _pump(source: "socket.socket", target: "socket.socket") -> None:
    """Pass on what comes until its end, and then the end."""
    import socket

    buffer = bytearray(1024 * 1024)
    with contextlib.suppress(OSError):
        while count := source.recv_into(buffer):
            target.sendall(memoryview(buffer)[:count])
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _beside(work: Callable[..., None], *args: Any) -> None:
    threading.Thread(target=work, args=args, daemon=True).start()
