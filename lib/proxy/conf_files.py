"""The files that nginx reads of an app, and whether it has read them as they stand.

nginx.conf is the app's file; nginx.conf.d/*.conf are what people and plugins add. Once nginx runs with them,
a copy of the former stays as nginx.conf.last-good, a name that no include finds, and a digest of all of them
is in data/nginx-vhosts/in-force. A power cut may empty these two: nginx reads everything anew after one.
"""

import os
from collections.abc import Collection, Mapping

from lib.app import certs
from lib.base import files, log, settings
from lib.proxy import conf_notes, hsts, nginx_options


def path(app: str) -> str:
    return os.path.join(settings.app_dir(app), "nginx.conf")


def includes(app: str) -> str:
    """The directory of what is added to the app's server blocks."""
    return os.path.join(settings.app_dir(app), "nginx.conf.d")


def current(app: str) -> str | None:
    """The app's file as it stands; None when there is none."""
    text = files.read(path(app), "\0")
    return None if text == "\0" else text


def addresses(app: str) -> set[str] | None:
    """Where the app's file sends visitors; None when there is none."""
    text = current(app)
    return None if text is None else set(conf_notes.of(text).addresses)


def write(app: str, text: str | None) -> None:
    """Put the app's file in place, or take it away."""
    if text is None:
        files.remove(path(app))
    elif text != current(app):
        files.replace(path(app), text, mode=0o644)


def quarantine(app: str) -> None:
    """Put the app's file out of nginx's sight, as nginx.conf.invalid."""
    os.replace(path(app), f"{path(app)}.invalid")


def write_hsts(app: str) -> None:
    """Have browsers insist on https, for an app with a certificate that does not forbid it."""
    header = hsts.header(nginx_options.effective(app)) if certs.exists(app) else ""
    name = os.path.join(includes(app), "hsts.conf")
    text = f'add_header Strict-Transport-Security "{header}" always;\n' if header else ""
    if not text:
        files.remove(name)
        return
    log.verbose_quiet("Enabling HSTS")
    if files.read(name) != text:
        files.replace(name, text, mode=0o644)


def last_good(app: str) -> str | None:
    """The text that nginx took last, if it ever took one."""
    return files.read(_last_good(app)) or None


def taken() -> dict[str, str]:
    """What nginx runs with: a digest of each app's files, for `is_in_force` of many apps."""
    pairs = (line.split(" ") for line in files.read_lines(_record()))
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def is_in_force(app: str, known: Mapping[str, str] | None = None) -> bool:
    """Whether nginx runs with what stands on disk. known: what `taken` says, if that was asked already."""
    return (taken() if known is None else known).get(app, "") == _digest(app)


def doubt(apps: Collection[str]) -> None:
    """From here on nobody knows what nginx runs with of some apps, until it is noted again."""
    with files.locked(_record()):
        known = taken()
        kept = {app: digest for app, digest in known.items() if app not in apps}
        if kept != known:
            _write_record(kept)


def note_in_force(apps: Collection[str]) -> None:
    """nginx has just read what stands on disk."""
    digests = {}
    for app in apps:
        text = current(app)
        if text is None:
            forget(app)
            continue
        if text != last_good(app):
            files.replace(_last_good(app), text, lasting=False)
        digests[app] = _digest(app)
    with files.locked(_record()):
        _write_record({**taken(), **digests})


def forget(app: str) -> None:
    """Drop all that we wrote for the app; what people added stays."""
    for name in (path(app), _last_good(app)):
        files.remove(name)
    doubt([app])


def _record() -> str:
    return os.path.join(settings.data("nginx-vhosts"), "in-force")


def _write_record(digests: Mapping[str, str]) -> None:
    text = "".join(f"{app} {digest}\n" for app, digest in sorted(digests.items()))
    files.replace(_record(), text, lasting=False)


def _last_good(app: str) -> str:
    return f"{path(app)}.last-good"


def _digest(app: str) -> str:
    """Of file, includes and certificate; empty when there is no file. Of what we may not read, its time."""
    if current(app) is None:
        return ""
    import hashlib

    added = sorted(os.listdir(includes(app))) if os.path.isdir(includes(app)) else []
    read = [path(app), certs.certificate(app), certs.key(app)]
    digest = hashlib.blake2b(digest_size=16)
    for name in [*read, *(os.path.join(includes(app), name) for name in added if name.endswith(".conf"))]:
        digest.update(f"{name}\0{_content(name)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _content(path: str) -> str:
    """What a file holds; where only root may read it, as nginx does, what changes along with that."""
    try:
        return files.read(path)
    except OSError:
        known = os.stat(path)
        return f"{known.st_mtime_ns} {known.st_size} {known.st_ino}"
