"""haproxy serves apps: one configuration for all, written, tested and put in force by one process at a time.

It is the other proxy beside nginx and does what nginx does: one test and one reload for however many apps; a
front that haproxy refuses stays as it was, the others go on; what a killed process left half-way is made good
by the next one. It runs as the system user, at ports of its own.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from lib.app import certs, domains
from lib.base import files, log, properties, retry, signals, values
from lib.base.errors import AppsFailed, DokkuError
from lib.proxy import (
    certificate_names,
    haproxy_fronts,
    haproxy_options,
    haproxy_texts,
    port_owners,
    sites,
    urls,
)
from lib.proxy.haproxy_fronts import Front, Route
from lib.proxy.sites import Site
from lib.tools import haproxy

NAME = "haproxy"
_LAST_WORDS = 3  # seconds that workers of one that ended may still listen

Fronts = Mapping[str, Front]
Changes = Mapping[str, Front | None]
Problem = Callable[[Fronts], str]


def prepare(app: str) -> None:
    """What comes before the app's front can be made, and the words people are used to see."""
    if sites.prepared(app, NAME):
        if certs.exists(app):
            certificate_names.warn_of_mismatch(app)
        log.info1(f"Creating {'https' if certs.exists(app) else 'http'} haproxy configuration")
        urls.record(app)


def apply(
    wanted: Sequence[str],
    leaving: Collection[str] = (),
    must_run: bool = True,
) -> bool:
    """Have haproxy serve some apps as they are now; whether it had to be reloaded for that.

    leaving: apps to forget. must_run: haproxy that does not run is a failure.
    Raises: AppsFailed naming the apps that haproxy refused (those stay as they were), DokkuError when it does
    not run (the configuration is in place then).
    """
    with files.locked(haproxy_fronts.directory()):
        refused: dict[str, str] = {}
        before = haproxy_fronts.current()
        changes = _changes(wanted, leaving, before, refused)
        pending = False
        if before or any(changes.values()):
            digest = _accepted(before, changes, refused, _problem)
            pending = digest != haproxy_fronts.digest_in_force()
            concerned = any(changes.values()) or digest != haproxy_fronts.digest_in_place()
            _put_in_force(digest, pending, must_run and concerned)
    if refused:
        names = ", ".join(sorted(refused))
        raise AppsFailed(f"Invalid haproxy config for {names}, not put in force", refused)
    return pending


def clear(gone: Sequence[str]) -> None:
    """Have haproxy forget some apps, whatever state it is in."""
    with log.only_warned():
        if not haproxy_fronts.known().keys() & set(gone):
            return
        if haproxy.program():
            apply([], leaving=gone, must_run=False)
        else:
            haproxy_fronts.put("")


def addresses(app: str) -> set[str] | None:
    """Where haproxy leads the app's visitors; None when it does not know the app."""
    front = haproxy_fronts.known().get(app)
    return None if front is None else set(front.addresses)


def start() -> None:
    """Start haproxy with as much of its configuration as it takes. Raises: DokkuError when it can't."""
    with files.locked(haproxy_fronts.directory()):
        if haproxy.master(haproxy.ours()):
            return  # somebody else was faster
        fronts = haproxy_fronts.current()
        wanted = haproxy_texts.listened(fronts)
        retry.until(lambda: not _not_free(wanted), timeout=_LAST_WORDS, every=0.1)
        refused: dict[str, str] = {}
        digest = _accepted({}, fronts, refused, functools.partial(_problem, starting=True))
        for app, reason in refused.items():
            log.warn(f"haproxy does not serve {app}: {reason}")
        haproxy_fronts.put(digest)
        haproxy.start(haproxy.ours())
        haproxy_fronts.note_in_force(digest)
        properties.write(haproxy_options.STORE, properties.GLOBAL, haproxy_options.STARTED, "true")


def stop() -> None:
    """Stop haproxy; what it is at may take ten seconds more."""
    with files.locked(haproxy_fronts.directory()):
        haproxy.stop(haproxy.ours(), patience=10)
        haproxy_fronts.note_in_force("")
        properties.delete(haproxy_options.STORE, properties.GLOBAL, haproxy_options.STARTED)


def keep_up() -> None:
    """Start haproxy again after a crash or a reboot, unless somebody stopped it or systemd does that."""
    place = haproxy.ours()
    if haproxy_options.is_started() and not haproxy.is_unit(place) and not haproxy.master(place):
        log.info1("haproxy does not run, it is started again")
        with log.only_warned():
            start()


def _changes(
    wanted: Sequence[str],
    leaving: Collection[str],
    before: Fronts,
    refused: dict[str, str],
) -> dict[str, Front | None]:
    """The new front of each app, None for none; also of those that inherit a domain another one gives up."""
    found: dict[str, Front | None] = dict.fromkeys(leaving)
    following = sorted(set(wanted) - found.keys())
    while True:
        gone = [app for app, front in found.items() if front is None]
        settled = {app: front and port_owners.balanced(front) for app, front in found.items()}
        for app, site in sites.gather(following, gone, NAME, settled).items():
            try:
                found[app] = site and _front(site)
            except DokkuError as error:
                refused[app] = error.text
        freed = {name for app, front in found.items() for name in _given_up(before.get(app), front)}
        heirs = {app for others in domains.claimants(sorted(freed)).values() for app in others}
        following = sorted(app for app in heirs - found.keys() - refused.keys() if sites.is_served(app, NAME))
        if not following:
            return found


def _given_up(before: Front | None, after: Front | None) -> set[str]:
    return set(before.names if before else ()) - set(after.names if after else ())


def _front(site: Site) -> Front:
    """Raises: DokkuError when visitors would find it nowhere, or a word of it can't stand."""
    app = site.app
    if site.refused and not site.entries and site.addresses:
        raise DokkuError(f"{app} can be at none of its ports with haproxy")
    is_secure = any(entry.is_secure for entry in site.entries)
    certificate = haproxy_fronts.keep_certificate(_certificate(app)) if is_secure else ""
    options = haproxy_options.effective(app)
    covered = _covered(site) if is_secure else ()
    front = Front(app, site.names, _routes(site), site.addresses, certificate, options, covered)
    haproxy_texts.verify(front)
    return front


def _routes(site: Site) -> list[Route]:
    plain = haproxy_options.port("http-port")
    secure = next((entry.host for entry in site.entries if entry.scheme == "https"), 0)
    return [
        Route(
            port=entry.host,
            is_secure=entry.is_secure,
            container=entry.container,
            is_http2=entry.scheme.startswith("grpc"),
            redirect=secure if entry.scheme == "http" and entry.host == plain else 0,
        )
        for entry in site.entries
    ]


def _covered(site: Site) -> tuple[str, ...]:
    """Names of the certificate below a `*.NAME` of the app, which TLS takes for one label only."""
    ends = tuple(name[1:] for name in site.names if name.startswith("*"))
    known = [name.lower() for name in certs.names(site.app)] if ends else []
    return tuple(name for name in known if values.is_domain(name) and name.endswith(ends))


def _certificate(app: str) -> str:
    """The app's certificate and its key in one text."""
    halves = [half.decode("utf-8", "replace").strip() for half in certs.pair(app)]
    return "\n".join([*halves, ""])


def _accepted(before: Fronts, changes: Changes, refused: dict[str, str], problem: Problem) -> str:
    """The configuration with as many changes as haproxy takes. refused: gets the rest, with its reason.

    Raises: DokkuError for what is no app's fault: a port of haproxy's own, an option for all.
    """
    after = _merged(before, changes)
    if problem(after):
        general = problem({})
        if general:
            raise DokkuError(f"Invalid haproxy config, not put in force: {general}")
        if before and problem(before):
            log.warn("The haproxy configuration is broken, it is made anew")
            before, changes = {}, {**before, **changes}
        after = _divided(before, list(changes.items()), refused, problem)
    return haproxy_fronts.write(haproxy_texts.made(after))


def _divided(
    before: Fronts, changes: Sequence[tuple[str, Front | None]], refused: dict[str, str], problem: Problem
) -> dict[str, Front]:
    """The fronts with what haproxy takes, in parts as large as it takes them."""
    after = _merged(before, dict(changes))
    why = problem(after)
    if not why:
        return after
    if len(changes) < 2:
        refused |= dict.fromkeys((app for app, _ in changes), why)
        return dict(before)
    middle = len(changes) // 2
    first = _divided(before, changes[:middle], refused, problem)
    return _divided(first, changes[middle:], refused, problem)


def _merged(before: Fronts, changes: Changes) -> dict[str, Front]:
    return {app: front for app, front in {**before, **changes}.items() if front}


def _problem(fronts: Fronts, starting: bool = False) -> str:
    """What haproxy has against some fronts; also a port that it would wait for, deaf at all others.

    starting: whether it listens nowhere yet.
    """
    problem = haproxy.problem(haproxy_fronts.configuration(haproxy_fronts.write(haproxy_texts.made(fronts))))
    if problem or not (starting or haproxy.master(haproxy.ours())):
        return problem
    present = "" if starting else files.read(haproxy.ours().configuration)
    had = haproxy_texts.ports_in(present)
    new = [port for port in haproxy_texts.listened(fronts) if port not in had]
    rivals = port_owners.rivals(new, NAME)
    if rivals:
        port, app = min(rivals.items())
        return f"haproxy can't listen at port {port}: nginx is there for {app}"
    return _not_free(new if haproxy_texts.is_bound_in(present) else [0, *new])


def _not_free(ports: Iterable[int]) -> str:
    """What is wrong with ports that haproxy is to have; empty for nothing. Port 0 asks for its address."""
    address = haproxy_texts.bound()
    taken = haproxy.taken(haproxy.ours(), ports, address)
    if 0 in taken:
        return f"haproxy can't listen at {address}: this host has no such address"
    return f"haproxy can't listen at port {', '.join(map(str, taken))}: taken, or forbidden" if taken else ""


def _put_in_force(digest: str, pending: bool, must_run: bool) -> None:
    """Let haproxy find this configuration, and read it if it has not. Raises: DokkuError when it does not."""
    place, before = haproxy.ours(), haproxy_fronts.digest_in_place()
    haproxy_fronts.put(digest)
    signals.failpoint("haproxy-written")
    if pending and haproxy.master(place):
        haproxy_fronts.note_in_force("")
        log.verbose("Reloading haproxy")
        try:
            haproxy.reload(place)
        except DokkuError:
            haproxy_fronts.put(before)
            raise
        haproxy_fronts.note_in_force(digest)
    haproxy_fronts.tidy()
    if must_run and not haproxy.master(place):
        hint = "Its configuration is written; start it with: dokku haproxy:start"
        raise DokkuError("haproxy is not running", more=(hint,))
