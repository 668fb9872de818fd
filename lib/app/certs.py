"""Certificates: the pair under $DOKKU_ROOT/APP/tls that an app is served with.

server.crt and server.key are links into one directory of a pair, tls/.pair.NAME, by way of tls/.current: one
rename puts another pair in force, so nobody ever finds the certificate of one and the key of the other. What
people and plugins put in place of the links counts as well, and is taken over with the next pair. A pair that
is about to go has the file tls/.leaving beside it, and counts for nobody from then on.
Source: dokku v0.24.0 plugins/certs.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping

from lib.app import config, pem
from lib.base import files, log, settings, signals, triggers
from lib.base.errors import DokkuError, NotRunning
from lib.tools import nginx, openssl

FILES = ("server.crt", "server.key")
_CURRENT, _PAIR, _NOTE, _LEAVING = ".current", ".pair.", ".certificate.json", ".leaving"
_MODES = {"server.crt": 0o644, "server.key": 0o600}
_FORGOTTEN = 3600  # seconds after which a pair that is not in force is nobody's
_PORTS = ("DOKKU_PROXY_PORT", "DOKKU_PROXY_SSL_PORT", "DOKKU_PROXY_PORT_MAP")  # these follow a certificate
_ignored: set[str] = set()


def exists(app: str) -> bool:
    """Whether the app has both halves of a pair, and is to keep them."""
    return is_stored(app) and app not in _ignored and not os.path.exists(_mark(app))


def is_stored(app: str) -> bool:
    """Whether both halves of a pair are on disk, be it that they are about to go."""
    return all(os.path.isfile(path) and os.stat(path).st_size for path in (certificate(app), key(app)))


@contextlib.contextmanager
def ignored(app: str) -> Iterator[None]:
    """The app has no certificate inside the block, as far as this process goes."""
    _ignored.add(app)
    try:
        yield
    finally:
        _ignored.discard(app)


def is_forced(app: str) -> bool:
    """Whether a plugin's proxy serves the app with a certificate of its own. Fires: certs-force."""
    return "true" in triggers.ask("certs-force", app).split()


def directory(app: str) -> str:
    return os.path.join(settings.app_dir(app), "tls")


def certificate(app: str) -> str:
    return os.path.join(directory(app), "server.crt")


def key(app: str) -> str:
    return os.path.join(directory(app), "server.key")


def half(app: str, kind: str) -> bytes:
    """The app's certificate (crt) or its key (key). Raises: DokkuError when it can't be read."""
    return _content(os.path.join(directory(app), f"server.{kind}"))


def pair(app: str) -> tuple[bytes, bytes]:
    """Both halves, of one pair: nobody puts another one in place between the two. Raises: as `half`."""
    with _alone():
        return half(app, "crt"), half(app, "key")


def details(app: str) -> openssl.Certificate | None:
    """What the app's certificate says; None when there is no pair, or one that can't be read."""
    if not is_stored(app):
        return None
    try:
        content = half(app, "crt")
        found = _noted(app, content)
        if found is None:
            found = openssl.certificate(content)
            _note(app, content, found)
    except DokkuError:
        return None
    return found


def names(app: str) -> list[str]:
    """The names that the app's certificate is for: its CN and the DNS names, sorted; none without one."""
    found = details(app)
    return found.names if found else []


def put(app: str, certificate: bytes, key: bytes, is_generated: bool = False) -> None:
    """Serve an app with a pair, both in PEM format, from now on; warn if browsers won't take it.

    is_generated: it is self-signed on purpose.

    Fires: post-certs-update, post-domains-update. Raises: DokkuError for a pair that is none, or that can't
    be put in force; the app is then served as before. NotRunning when nginx is stopped: it starts with the
    pair then.
    """
    pair = pem.judged(certificate, key)
    objection = nginx.objection(pair.certificate, pair.key)
    if objection:
        raise DokkuError(f"nginx does not take this certificate and key: {objection}")
    if not is_generated:
        pem.warn_of_visitors(pair.says)
    ports = config.values(app)
    with _alone():
        before, new = _taken_over(app), _written(app, pair.certificate, pair.key)
        _note(app, pair.certificate, pair.says)
        signals.failpoint("cert-written")
        _point(app, _CURRENT, new)
        _link(app)
        files.remove(_mark(app))
    signals.failpoint("cert-in-place")
    try:
        triggers.fire("post-certs-update", app)
        triggers.fire("post-domains-update", app)
    except NotRunning:
        _forget(app, before)
        raise
    except BaseException:
        _give_back(app, before, new, ports)
        raise
    _forget(app, before)


def remove(app: str) -> None:
    """Serve an app without a certificate; what was begun and killed is ended.

    Fires: post-certs-remove, post-domains-update; the files go when these are done, so that no proxy ever
    reads of a pair that is not there. Raises: DokkuError when there is none.
    """
    if not is_stored(app):
        raise DokkuError("An app-specific SSL endpoint is not defined")
    log.info1(f"Removing SSL endpoint from {app}")
    files.replace(_mark(app), "")
    try:
        triggers.fire("post-certs-remove", app)
        triggers.fire("post-domains-update", app)
    except NotRunning:
        _drop(app)
        raise
    except BaseException:
        files.remove(_mark(app))
        raise
    signals.failpoint("cert-left")
    _drop(app)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """No proxy of ours reads a pair inside the block: the lock is the one that nginx is tested under."""
    with files.locked(os.path.join(settings.root(), "nginx.conf")):
        yield


def _taken_over(app: str) -> str:
    """Make the two files links into the pair in force, content unchanged; its name, empty without one.

    A pair that we may not read is none: what root copied here is root's.
    """
    top = directory(app)
    files.make_directory(top, 0o700)
    try:
        old = (half(app, "crt"), half(app, "key")) if is_stored(app) else None
    except DokkuError:
        old = None
    if old is None:
        return ""
    if not _is_linked(app) or not _target(top, _CURRENT):
        _point(app, _CURRENT, _written(app, *old))
    _link(app)
    return _target(top, _CURRENT)


def _is_linked(app: str) -> bool:
    return all(_target(directory(app), name) == os.path.join(_CURRENT, name) for name in FILES)


def _link(app: str) -> None:
    """Let the two files be those of the pair in force."""
    for name in FILES if not _is_linked(app) else ():
        _point(app, name, os.path.join(_CURRENT, name))


def _written(app: str, certificate: bytes, key: bytes) -> str:
    """Write a pair to a directory of its own; the name of that."""
    name = f"{_PAIR}{os.urandom(6).hex()}"
    place = os.path.join(directory(app), name)
    files.make_directory(place, 0o700)
    for file, content in zip(FILES, (certificate, key), strict=True):
        files.replace(os.path.join(place, file), content, _MODES[file])
    return name


def _note(app: str, certificate: bytes, says: openssl.Certificate) -> None:
    """Keep what openssl said of a certificate beside it, if we can: builds of many apps ask for its names."""
    import json

    note = {"digest": _digest(certificate), **says._asdict()}
    with contextlib.suppress(OSError):
        files.replace(os.path.join(directory(app), _NOTE), json.dumps(note), lasting=False)


def _noted(app: str, content: bytes) -> openssl.Certificate | None:
    """What was kept of a certificate, unless another one stands there now."""
    text = files.read(os.path.join(directory(app), _NOTE))
    if not text:
        return None
    import json

    with contextlib.suppress(ValueError, TypeError, KeyError):
        note = dict(json.loads(text))
        if note.pop("digest") == _digest(content):
            return openssl.Certificate(**note)
    return None


def _digest(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _point(app: str, name: str, target: str) -> None:
    """Put a link in place of whatever has that name, at once."""
    top = directory(app)
    beside = os.path.join(top, f"{_PAIR}{os.urandom(6).hex()}")
    os.symlink(target, beside)
    os.replace(beside, os.path.join(top, name))
    files.flush_directory(top)


def _give_back(app: str, before: str, new: str, ports: Mapping[str, str]) -> None:
    """Serve the app with the pair it had, or with none, unless a third one came in the meantime.

    ports: its variables from then, of which those that follow a certificate are put back.
    """
    top = directory(app)
    if _target(top, _CURRENT) != new:
        return
    if before:
        with _alone():
            _point(app, _CURRENT, before)
    else:
        files.replace(_mark(app), "")
        with log.only_warned():
            triggers.fire("post-certs-remove", app)
    with log.only_warned():
        config.restore(app, ports, _PORTS)
        triggers.fire("post-domains-update", app)
    with _alone():
        for name in (new,) if before else (_CURRENT, *FILES, new, _LEAVING, _NOTE):
            files.remove(os.path.join(top, name))
    with contextlib.suppress(OSError):  # what plugins keep there stays
        os.rmdir(top)
    log.warn(f"{app} is served as before")


def _drop(app: str) -> None:
    """Remove all there is of a pair that is about to go, unless another one came in the meantime."""
    with _alone():
        if os.path.exists(_mark(app)):
            files.remove(directory(app))


def _forget(app: str, before: str) -> None:
    """Remove the pair that was in force before, if any, and what killed processes left of others."""
    top = directory(app)
    with _alone():
        for name in os.listdir(top):
            path = os.path.join(top, name)
            is_nobodys = name.startswith(_PAIR) and name != _target(top, _CURRENT)
            if is_nobodys and (name == before or time.time() - os.lstat(path).st_mtime > _FORGOTTEN):
                files.remove(path)


def _mark(app: str) -> str:
    return os.path.join(directory(app), _LEAVING)


def _target(top: str, name: str) -> str:
    try:
        return os.readlink(os.path.join(top, name))
    except OSError:
        return ""


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise DokkuError(f"Unable to read {path}: {error.strerror}") from error
