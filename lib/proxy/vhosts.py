"""nginx serves apps: each one's nginx.conf written, tested and put in force, by one process at a time.

Every change is one test and one reload, for however many apps. A file that nginx refuses is put back to what
it was; the others go on. Nothing is reloaded when nothing changed, and what a killed process left half-way is
made good by the next one.
Source: dokku v0.24.0 plugins/nginx-vhosts.
"""

import contextlib
import os
from collections.abc import Collection, Sequence
from typing import NamedTuple

from lib.app import certs
from lib.base import files, log, settings, signals, triggers
from lib.base.errors import AppsFailed, DokkuError
from lib.proxy import batching, conf_files, extra_ports, nginx_texts, proxies, sites, urls
from lib.runtime import containers
from lib.tools import nginx

_FEW = 8  # files that are written one after another


class Change(NamedTuple):
    """An app's file as it was and as it is to be; None for no file."""

    app: str
    before: str | None
    after: str | None

    def do(self) -> None:
        conf_files.write(self.app, self.after)

    def undo(self) -> None:
        conf_files.write(self.app, self.before)


def build(wanted: Sequence[str]) -> bool:
    """Have nginx serve some apps as they are now; whether it had to be reloaded for that. See batching.

    Fires: network-build-config, domains-setup, nginx-pre-reload. Raises: DokkuError naming the apps whose
    files nginx refused (those stay as they were), or when nginx does not run (the files are in place then).
    """
    for app in wanted:
        prepare(app)
    return batching.build(apply, wanted)


def clear(gone: Sequence[str]) -> None:
    """Have nginx forget some apps, whatever state it is in."""
    with log.only_warned():
        if any(conf_files.current(app) is not None for app in gone):
            apply([], leaving=gone, must_run=False)
    for app in gone:
        conf_files.forget(app)


def prepare(app: str) -> None:
    """What comes before the app's text can be written, and the words people are used to see."""
    if sites.prepared(app, "nginx"):
        nginx_texts.announce(app)
        conf_files.write_hsts(app)
        urls.record(app)
    elif not proxies.is_enabled(app) and conf_files.current(app) is not None:
        log.info1("deleting nginx.conf")
        log.info1("reloading nginx after nginx.conf deletion")


def apply(
    wanted: Sequence[str],
    leaving: Collection[str] = (),
    must_run: bool = True,
) -> bool:
    """Write, test and reload. must_run: nginx that does not run is a failure."""
    with files.locked(os.path.join(settings.root(), "nginx.conf")):
        refused: dict[str, str] = {}
        pending = _written(nginx_texts.texts(wanted, leaving, refused), refused)
        signals.failpoint("vhost-written")
        if pending and (must_run or nginx.is_running()):
            _put_in_force(pending, refused)
    for app in refused.keys() - {*wanted, *leaving}:  # they were to inherit a domain
        log.warn(f"Invalid nginx config for {app}, not put in force: {refused.pop(app)}")
    if refused:
        names = ", ".join(sorted(refused))
        raise AppsFailed(f"Invalid nginx config for {names}, not put in force", refused)
    return bool(pending)


def _written(texts: dict[str, str | None], refused: dict[str, str]) -> list[Change]:
    """Write the texts and let plugins edit the files; the changes that nginx has yet to take.

    refused: gets the apps whose plugins failed, with the reason; their files are put back.
    """
    editors = triggers.has_plugins("nginx-pre-reload")
    before = {app: conf_files.current(app) for app in texts}
    known = conf_files.taken()
    same = {
        app
        for app in texts
        if before[app] == texts[app] and not editors and conf_files.is_in_force(app, known)
    }
    changes = [Change(app, before[app], text) for app, text in texts.items() if app not in same]
    _do(changes, refused)
    pending = []
    for change in changes:
        try:
            if editors and change.after is not None and change.app not in refused:
                triggers.fire("nginx-pre-reload", change.app, *_first_listener(change.app))
        except DokkuError as error:
            change.undo()
            reason = error.text or f"nginx-pre-reload: exit status {error.exit_code}"
            refused[change.app] = reason
        edited = change._replace(after=conf_files.current(change.app))
        if edited.before != edited.after or not conf_files.is_in_force(change.app, known):
            pending.append(edited)
    return pending


def _do(changes: Sequence[Change], refused: dict[str, str]) -> None:
    """Write the files, many side by side: each waits for the disk. refused: gets what can not be written."""

    def attempt(change: Change) -> None:
        try:
            change.do()
        except OSError as error:
            refused[change.app] = f"{conf_files.path(change.app)}: {error.strerror}"

    if len(changes) < _FEW:
        for change in changes:
            attempt(change)
        return
    from concurrent.futures import ThreadPoolExecutor  # 17 ms

    with ThreadPoolExecutor(max_workers=_FEW) as pool:
        list(pool.map(attempt, changes))


def _first_listener(app: str) -> tuple[str, ...]:
    """Port and address of the app's first web container, as it registered them."""
    return next(((one.port, one.ip) for one in containers.registered(app) if one.process == "web"), ())


def _put_in_force(pending: Sequence[Change], refused: dict[str, str]) -> None:
    """Test and reload. refused: gets the apps nginx does not take, with its reason.

    Raises: DokkuError when nginx takes nothing at all; every file is then as it was, unless nginx is stopped.
    """
    with extra_ports.giving_way(change.after or "" for change in pending):
        if nginx.problem():
            for change in pending:
                change.undo()
            _repair()
            pending = [change._replace(before=conf_files.current(change.app)) for change in pending]
            _divide(pending, refused)
        if all(change.app in refused for change in pending):
            return
        conf_files.doubt([change.app for change in pending])
        extra_ports.cover(nginx_texts.has_ipv6())
    log.verbose("Reloading nginx")
    try:
        nginx.reload()
    except DokkuError:
        for change in pending if nginx.is_running() else ():
            change.undo()
        raise
    signals.failpoint("vhost-reloaded")
    with contextlib.suppress(OSError):  # on a full disk it is not noted, and the next build reloads again
        conf_files.note_in_force([change.app for change in pending])


def _divide(pending: Sequence[Change], refused: dict[str, str]) -> None:
    """Write what nginx takes; the rest stays as it was. refused: gets these, with nginx's reason.

    Who it complains of is left out; when that is none of these, they are tried in parts.
    """
    for change in pending:
        change.do()
    standing = {change.app: change for change in pending}
    while problem := nginx.problem():
        culprit = standing.pop(nginx_texts.accused(problem), None)
        if culprit is None and len(standing) == 1:
            _, culprit = standing.popitem()
        if culprit is None:
            break
        culprit.undo()
        refused[culprit.app] = problem
    else:
        return
    for change in standing.values():
        change.undo()
    half = list(standing.values())[: len(standing) // 2]
    rest = list(standing.values())[len(half) :]
    for part in filter(None, (half, rest)):
        _divide(part, refused)


def _repair() -> None:
    """Make nginx's configuration valid without the change: replace the files of ours that it names as broken.

    Raises: DokkuError with nginx's words when that does not help.
    """
    remedies: dict[str, list[tuple[str | None, str]]] = {}
    while problem := nginx.problem():
        if extra_ports.withdraw(problem):
            continue
        app = nginx_texts.accused(problem)
        if app and app not in remedies:
            known = [(text, "it is replaced") for text in (conf_files.last_good(app), *_anew(app))]
            remedies[app] = [*((text, "it is served without https") for text in _plain(app)), *known]
        if not remedies.get(app):
            hint = f"Try: dokku nginx:validate-config {app} --clean" if app else "No app's file is the cause"
            raise DokkuError(f"nginx can't start with its present configuration: {problem}", more=(hint,))
        remedy, outcome = remedies[app].pop()
        if remedy != conf_files.current(app):
            log.warn(f"The nginx configuration of {app} is broken, {outcome}: {problem}")
            conf_files.write(app, remedy)


def _plain(app: str) -> list[str | None]:
    """The app's text without https: what is left when its own certificate keeps nginx from starting."""
    if not certs.exists(app):
        return []
    with certs.ignored(app):
        return _anew(app)


def _anew(app: str) -> list[str | None]:
    """The app's text as it is to be; none when no text can be made."""
    made = nginx_texts.texts([app], refused={})
    return [made[app]] if app in made else []
