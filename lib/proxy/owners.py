"""Which app serves a domain that several list: the one that does already, else the first that is built."""

from collections.abc import Collection, Sequence

from lib.app import apps, domains
from lib.proxy import conf_files, conf_notes, haproxy_fronts


def of(
    names: Sequence[str],
    building: Collection[str],
    leaving: Collection[str] = (),
    proxy: str = "nginx",
    built: Collection[str] = (),
) -> dict[str, str]:
    """The app that is to serve each domain: one that lists it, or has it in a template of its own already.

    building: apps whose configuration is being written; in order of name they take what nobody serves yet.
    leaving: apps that give up what they have at this proxy; one that moved to another keeps its domains.
    built: apps whose new configuration is not on disk yet.
    """
    found = {}
    serving = holders(names)
    for name, claimants in domains.claimants(names).items():
        staying = [app for app in claimants if app not in leaving or name in _served_elsewhere(app, proxy)]
        others = (app for app in serving[name] if app not in (*claimants, *building, *leaving, *built))
        present = [*(app for app in serving[name] if app in staying), *others]
        heirs = present or [app for app in staying if app in building]
        if heirs:
            found[name] = heirs[0]
    return found


def holders(names: Collection[str]) -> dict[str, list[str]]:
    """The apps that some proxy of ours serves under each of some names."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for app in apps.names() if found else []:
        for name in found.keys() & served_by_any(app):
            found[name].append(app)
    return found


def served(app: str) -> set[str]:
    """The names in the app's nginx configuration as it stands."""
    return names_in(conf_files.current(app) or "")


def served_by_any(app: str) -> set[str]:
    """The names that some proxy of ours serves the app under."""
    return served(app) | haproxy_fronts.names(app)


def is_known(app: str) -> bool:
    """Whether some proxy of ours has a configuration of the app."""
    return conf_files.current(app) is not None or app in haproxy_fronts.known()


def _served_elsewhere(app: str, proxy: str) -> set[str]:
    return haproxy_fronts.names(app) if proxy == "nginx" else served(app)


def names_in(text: str) -> set[str]:
    """The names in an nginx configuration that we or Dokku 0.24 wrote."""
    return set(conf_notes.of(text).names)
