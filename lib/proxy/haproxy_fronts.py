"""What haproxy has been told: a front for each app, and the files that were made of all of them.

data/haproxy-vhosts/current leads to a directory generations/DIGEST with everything that haproxy reads but the
certificates, which lie in certificates/ under the digest of their content. Nothing that haproxy may read is
ever changed: another configuration is another directory, and one renamed link puts it in place.
"""

import functools
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lib.base import files, log, procfs, settings
from lib.base.errors import DokkuError
from lib.tools import haproxy

MAIN = haproxy.MAIN
RECORD = "fronts.json"  # of what the other files were made
_IN_FORCE = "in-force"


class Route(NamedTuple):
    """What an app has at a port of haproxy's. redirect: the https port to send visitors to, or 0."""

    port: int
    is_secure: bool
    container: int
    is_http2: bool
    redirect: int


class Front(NamedTuple):
    """An app as haproxy serves it.

    names: none for every name. addresses: none to answer 502. certificate: a file's name, or empty.
    options: what haproxy:set says of it. covered: what else the certificate is for below a `*.` of its names.
    """

    app: str
    names: list[str]
    routes: list[Route]
    addresses: list[str]
    certificate: str
    options: dict[str, str]
    covered: tuple[str, ...] = ()


def directory() -> str:
    return settings.data(haproxy.PLUGIN)


def current() -> dict[str, Front]:
    """The front of each app in the configuration in place. Raises: DokkuError when the record is damaged."""
    digest = digest_in_place()
    return dict(_recorded(os.path.join(_generation(digest), RECORD))) if digest else {}


def known() -> dict[str, Front]:
    """The same for whoever can do without: none, with a warning, when the record is damaged."""
    try:
        return current()
    except DokkuError as error:
        _warn_once(error.text)
        return {}


def names(app: str) -> set[str]:
    """The names under which haproxy serves an app."""
    front = known().get(app)
    return set(front.names) if front else set()


def as_text(fronts: Mapping[str, Front]) -> str:
    import json

    return json.dumps({app: front._asdict() for app, front in sorted(fronts.items())}, indent=1) + "\n"


def of_text(text: str) -> dict[str, Front]:
    """The fronts of a record."""
    import json

    try:
        known: dict[str, Any] = json.loads(text)
        return {app: _of_words(one) for app, one in known.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        hint = "Remove that directory, then: dokku proxy:build-config --all"
        raise DokkuError(f"{directory()}/current is damaged: {error}", more=(hint,)) from error


def _of_words(words: dict[str, Any]) -> Front:
    """covered: not in the records of older releases."""
    routes = [Route(*one) for one in words["routes"]]
    return Front(**{**words, "routes": routes, "covered": tuple(words.get("covered", ()))})


def write(texts: Mapping[str, str]) -> str:
    """Write a configuration beside the one in place; its digest."""
    import hashlib

    digest = hashlib.blake2b(digest_size=12)
    for name, text in sorted(texts.items()):
        digest.update(f"{name}\0{len(text)}\0{text}".encode("utf-8", "surrogateescape"))
    top = _generation(digest.hexdigest())
    _make_directory()
    for name, text in texts.items():
        if files.read(os.path.join(top, name), "\0") != text:
            files.replace(os.path.join(top, name), text)
    return digest.hexdigest()


def configuration(digest: str) -> str:
    return os.path.join(_generation(digest), MAIN)


def put(digest: str) -> None:
    """Let haproxy find a configuration when it reads next; none for an empty digest."""
    link = _link()
    if not digest:
        files.remove(link)
    if digest in ("", digest_in_place()):
        return
    beside = f"{link}.{os.getpid()}"
    files.remove(beside)
    os.symlink(os.path.join("generations", digest), beside)
    os.replace(beside, link)
    files.flush_directory(directory())


def digest_in_place() -> str:
    """The configuration that haproxy finds when it reads next; empty when there is none."""
    try:
        return os.path.basename(os.readlink(_link()))
    except OSError:
        return ""


def digest_in_force() -> str:
    """The configuration that haproxy took last; empty when nobody knows, as after others started it."""
    digest, _, taker = files.read(os.path.join(directory(), _IN_FORCE)).strip().partition(" ")
    return digest if taker == _running() else ""


def note_in_force(digest: str) -> None:
    """haproxy has just read this one; or, with an empty digest, nobody knows."""
    files.replace(os.path.join(directory(), _IN_FORCE), f"{digest} {_running()}\n")


def keep_certificate(content: str) -> str:
    """Keep a certificate and its key, in PEM format, where haproxy finds them; the file's name."""
    import hashlib

    name = hashlib.blake2b(content.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest() + ".pem"
    _make_directory()
    if not os.path.exists(certificate(name)):
        files.replace(certificate(name), content)
    return name


def certificate(name: str) -> str:
    return os.path.join(directory(), "certificates", name)


def tidy() -> None:
    """Remove configurations and certificates that are not in place."""
    used = {front.certificate for front in current().values()}
    _remove_others(os.path.join(directory(), "generations"), {digest_in_place()})
    _remove_others(os.path.join(directory(), "certificates"), used)


@functools.cache
def _warn_once(text: str) -> None:
    log.warn(text)


@functools.lru_cache(maxsize=2)
def _recorded(path: str) -> dict[str, Front]:
    """The fronts of a record, which never changes."""
    return of_text(files.read(path))


def _running() -> str:
    """The haproxy that runs, as no other one is called until the next boot."""
    pid = haproxy.master(haproxy.ours())
    return f"{procfs.boot_id()} {pid} {procfs.started(pid)}"


def _remove_others(top: str, kept: Iterable[str]) -> None:
    for name in set(os.listdir(top) if os.path.isdir(top) else []) - set(kept):
        files.remove(os.path.join(top, name))


def _make_directory() -> None:
    files.make_directory(os.path.dirname(directory()))
    files.make_directory(directory(), 0o700)


def _link() -> str:
    return os.path.join(directory(), "current")


def _generation(digest: str) -> str:
    return os.path.join(directory(), "generations", digest)
