"""Domains: the names under which an app is served, and the host's, from which apps get their first one.

One name per line in $DOKKU_ROOT/APP/VHOST and $DOKKU_ROOT/VHOST. People edit both: whatever is no domain is
kept in the file and left out of use. An app with NO_VHOST=1 has no names; it is reached by a port of its own.
Source: dokku v0.24.0 plugins/domains.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Sequence

from lib.app import apps, config, domain_names
from lib.base import files, log, settings, signals, triggers, values
from lib.base.errors import DokkuError, NotRunning

GLOBAL = config.GLOBAL

_ENDS_IN_ADDRESS = re.compile(r"(.*\.)?[0-9]{1,3}(\.[0-9]{1,3}){3}")


def is_enabled(app: str) -> bool:
    """Whether the app is served by name."""
    return config.get(app, "NO_VHOST") != "1"


def listed(app: str) -> list[str]:
    """The domains that the app is served under; none when it is not served by name."""
    return valid(app) if is_enabled(app) else []


def stored(owner: str) -> list[str]:
    """Every line of an app's VHOST file, or of the host's (GLOBAL), valid or not.

    Dokku 0.24 kept capitals; to browsers, nginx and us such a name is the one in small letters.
    """
    lines = files.read_lines(path(owner))
    return [line.lower() if meant(line.lower()) else line for line in lines]


def meant(line: str) -> list[str]:
    """The domains that a line stands for: of `.example.com` itself and all below it; none of what is none."""
    host = line.removeprefix(".")
    if not values.is_domain(host) or (host != line and host.startswith("*")):
        return []
    return [line] if host == line else [host, f"*.{host}"]


def valid(owner: str) -> list[str]:
    """The domains that the lines stand for, each once, in order."""
    return list(dict.fromkeys(name for line in stored(owner) for name in meant(line)))


def hostname() -> str:
    """What the host calls itself: the file HOSTNAME, else the kernel's name."""
    name = files.read(os.path.join(settings.root(), "HOSTNAME")).strip()
    return name if values.is_host(name) else os.uname().nodename


def add(app: str, names: Sequence[str] | None) -> None:
    """Give the app more domains. Fires: post-domains-update. Raises: DokkuError before any change."""
    wanted = _asked_for(app, names, "domains:add <app>")
    with _put_back_on_failure(app):
        with files.locked(path(app)):
            known = stored(app)
            _add_to(known, wanted, f"Skipping: %s already added to {app}", f"Added %s to {app}")
            _write(app, known)
        _warn_of_others(app, wanted)
        _serve_by_name(app)
        triggers.fire("post-domains-update", app, "add", *wanted)


def set_(app: str, names: Sequence[str] | None) -> None:
    """Give the app these domains and no others. Fires: post-domains-update."""
    wanted = _asked_for(app, names, "domains:set <app>")
    with _put_back_on_failure(app):
        with files.locked(path(app)):
            _write(app, list(dict.fromkeys(wanted)))
        log.info1(f"Set {' '.join(wanted)} for {app}")
        _warn_of_others(app, wanted)
        _serve_by_name(app)
        triggers.fire("post-domains-update", app, "set", *wanted)


def remove(app: str, names: Sequence[str] | None) -> None:
    """Take domains from the app; exactly these, whether valid or not. Fires: post-domains-update."""
    unwanted = _asked_for(app, names, "domains:remove <app>", strictly=False)
    with _put_back_on_failure(app):
        with files.locked(path(app)):
            _remove_from(app, unwanted, f" from {app}")
        triggers.fire("post-domains-update", app, "remove", *unwanted)


def clear(app: str) -> None:
    """Go back to the domains of a new app. Fires: nginx-hostname, post-domains-update."""
    _start_anew(app, "clear")
    log.info1(f"Cleared domains in {app}")


def reset(app: str) -> None:
    """Go back to the domains of a new app, under the name of a later release. Fires: as `clear`."""
    _start_anew(app, "reset")
    log.info1_quiet(f"Reset domains for {app}")


def setup(app: str) -> None:
    """Give an app without a VHOST file its first domains; without a global one, serve it by port."""
    if not is_enabled(app):
        log.info1("App virtual host support disabled, skipping domains setup")
        return
    if os.path.exists(path(app)):
        return
    names = defaults(app)
    if not names:
        log.info2("Global server virtual host not set, disabling app vhost...")
        config.set_values(app, {"NO_VHOST": "1"})
        return
    log.info1("Creating new app virtual host file...")
    with files.locked(path(app)):
        if not os.path.exists(path(app)):
            _write(app, names)


def enable(app: str, apply: bool = True) -> None:
    """Serve the app by name again, under the domains of a new app if the host has any.

    apply: have the proxy take it over at once, or make good what an interrupted call left undone.
    Fires: pre-enable-vhost, post-domains-update.
    """
    if is_enabled(app):
        log.info1(f"Domains (VHOST) support is already enabled for app ({app})")
    else:
        names = defaults(app)
        if names:
            with files.locked(path(app)):
                _write(app, names)
        _serve_by_name(app)
    if apply:
        triggers.fire("post-domains-update", app, "enable")


def disable(app: str, apply: bool = True) -> None:
    """Serve the app by a port of its own instead of names, which are forgotten.

    apply: as of `enable`. Fires: pre-disable-vhost, post-domains-update. Differs from Dokku 0.24: the
    containers keep running.
    """
    if is_enabled(app):
        triggers.fire("pre-disable-vhost", app)
        log.info1("App virtual host support disabled")
        config.set_values(app, {"NO_VHOST": "1"})
    else:
        log.info1(f"Domains (VHOST) support is already disabled for app ({app})")
    for name in (path(app), urls_path(app)):
        files.remove(name)
    if apply:
        triggers.fire("post-domains-update", app, "disable")


def add_global(names: Sequence[str] | None) -> None:
    """Give the host more domains; apps that exist keep theirs."""
    wanted = _verified(names, "domains:add-global")
    with files.locked(path(GLOBAL)):
        known = stored(GLOBAL)
        _add_to(known, wanted, "Skipping %s: already added", "Added %s")
        _write(GLOBAL, known)


def set_global(names: Sequence[str] | None) -> None:
    """Give the host these domains and no others; apps that exist keep theirs."""
    wanted = _verified(names, "domains:set-global")
    with files.locked(path(GLOBAL)):
        _write(GLOBAL, list(dict.fromkeys(wanted)))
    log.info1(f"Set {' '.join(wanted)}")


def remove_global(names: Sequence[str] | None) -> None:
    """Take domains from the host; apps that exist keep theirs."""
    unwanted = _verified(names, "domains:remove-global", strictly=False)
    with files.locked(path(GLOBAL)):
        _remove_from(GLOBAL, unwanted, "")


def clear_global() -> None:
    log.info1_quiet("Clearing global domains")
    _write(GLOBAL, [])


def defaults(app: str) -> list[str]:
    """The domains that a new app of that name gets: one below each global domain that is a name.

    Fires: nginx-hostname, whose answer counts instead of ours.
    """
    return list(dict.fromkeys(name for vhost in valid(GLOBAL) for name in _below(vhost, app)))


def claimants(names: Sequence[str], besides: str = "") -> dict[str, list[str]]:
    """For each of some domains the apps, sorted, that list it and are served by name; besides: not this."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for app in apps.names() if names else []:
        if app != besides and (shared := found.keys() & set(valid(app))) and is_enabled(app):
            for name in shared:
                found[name].append(app)
    return found


def rename(old: str, new: str) -> None:
    """Give an app the domains of another, with the names made from its own name made from the new one."""
    if not os.path.exists(path(old)):
        return
    changed = {
        was: becomes
        for vhost in valid(GLOBAL)
        for was, becomes in zip(_below(vhost, old), _below(vhost, new), strict=False)
    }
    _write(new, [changed.get(line, line) for line in stored(old)])


def path(owner: str) -> str:
    return os.path.join(settings.root() if owner == GLOBAL else settings.app_dir(owner), "VHOST")


def urls_path(app: str) -> str:
    """Where the app's URLs stand for plugins that look for them."""
    return os.path.join(settings.app_dir(app), "URLS")


def _start_anew(app: str, operation: str) -> None:
    with _put_back_on_failure(app):
        files.remove(path(app))
        setup(app)
        triggers.fire("post-domains-update", app, operation)


@contextlib.contextmanager
def _put_back_on_failure(app: str) -> Iterator[None]:
    """When the block fails, the app has the domains it had, unless others have changed them meanwhile.

    With nginx stopped (NotRunning) they stay: it starts with them. Fires then: post-domains-update.
    """
    before, was_off = files.read(path(app), "\0"), config.get(app, "NO_VHOST", "\0")
    try:
        yield
    except NotRunning:
        raise
    except BaseException:
        with signals.deferred(), log.only_warned():
            _put_back(app, before, was_off)
        raise


def _put_back(app: str, before: str, was_off: str) -> None:
    if (files.read(path(app), "\0"), config.get(app, "NO_VHOST", "\0")) == (before, was_off):
        return
    with files.locked(path(app)):
        if before == "\0":
            files.remove(path(app))
        else:
            files.replace(path(app), before, mode=0o644)
    if was_off == "\0":
        config.unset_values(app, ["NO_VHOST"])
    else:
        config.set_values(app, {"NO_VHOST": was_off})
    log.warn(f"The domains of {app} are as before")
    triggers.fire("post-domains-update", app, "set", *valid(app))


def _below(vhost: str, app: str) -> list[str]:
    if _ENDS_IN_ADDRESS.fullmatch(vhost):
        return []
    said = triggers.ask("nginx-hostname", app, app.removesuffix(f".{vhost}"), vhost).split()
    ours = app if "." in app else f"{app}.{vhost.removeprefix('*.')}"
    return [name for name in said or [ours] if values.is_domain(name)]


def _serve_by_name(app: str) -> None:
    """Turn vhosts on if they are off, and keep the domains that stand in the file."""
    if is_enabled(app):
        return
    triggers.fire("pre-enable-vhost", app)
    config.set_values(app, {"NO_VHOST": "0"})


def _asked_for(app: str, names: Sequence[str] | None, usage: str, strictly: bool = True) -> list[str]:
    """The domains of a call, verified before the app is, as Dokku does."""
    given = _verified(names, usage, strictly) if app else []
    apps.verify_app_name(app)
    return given


def _verified(names: Sequence[str] | None, usage: str, strictly: bool = True) -> list[str]:
    """The names in the spelling of DNS, and a word on each that was given in another script."""
    if not names:
        raise DokkuError(f"Please specify a domain name. Usage: dokku {usage} <domain> [<domain> ...]")
    spelled = [(name, domain_names.as_ascii(name)) for name in names]
    for name, found in spelled:
        if (strictly and not meant(found)) or values.has_control_characters(name):
            hint = () if name.isascii() else ("Give the form that DNS has of it: xn--...",)
            raise DokkuError(f"{values.printable(name)} is invalid. exiting...", more=hint)
    for name, found in spelled:
        if found.isascii() and not name.isascii():
            log.verbose(f"{name} is {found} in DNS")
    return [found for _, found in spelled]


def _add_to(known: list[str], wanted: list[str], skipped: str, added: str) -> None:
    for name in wanted:
        if name in known:
            log.info1(skipped % name)
        else:
            known.append(name)
            log.info1(added % name)


def _remove_from(owner: str, unwanted: list[str], where: str) -> None:
    known = stored(owner)
    kept = [line for line in known if domain_names.as_ascii(line) not in unwanted]
    if kept != known:
        _write(owner, kept)
    for name in unwanted:
        log.info1(f"Removed {name}{where}")


def _warn_of_others(app: str, names: list[str]) -> None:
    for name, others in claimants([name for line in names for name in meant(line)], besides=app).items():
        if others:
            log.warn(f"{name} is already a domain of {', '.join(others)}, which keeps it")


def _write(owner: str, names: list[str]) -> None:
    files.replace_lines(path(owner), names, mode=0o644)
