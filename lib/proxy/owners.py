"""Which app serves a domain that several list: the one that does already, else the first that is built."""

import re
from collections.abc import Collection, Sequence

from lib.app import domains
from lib.proxy import conf_files, haproxy_fronts

_NAMES = re.compile(r"^\s*server_name\s+([^;]*);", re.MULTILINE)


def of(
    names: Sequence[str], building: Collection[str], leaving: Collection[str] = (), proxy: str = "nginx"
) -> dict[str, str]:
    """The app that is to serve each domain.

    building: apps whose configuration is being written; in order of name they take what nobody serves yet.
    leaving: apps that give up what they have at this proxy; one that moved to another keeps its domains.
    """
    found = {}
    for name, claimants in domains.claimants(names).items():
        staying = [app for app in claimants if app not in leaving or name in _served_elsewhere(app, proxy)]
        serving = [app for app in staying if len(staying) > 1 and name in served_by_any(app)]
        heirs = serving or [app for app in staying if app in building]
        if heirs:
            found[name] = heirs[0]
    return found


def served(app: str) -> set[str]:
    """The names in the app's nginx configuration as it stands."""
    return names_in(conf_files.current(app) or "")


def served_by_any(app: str) -> set[str]:
    """The names that some proxy of ours serves the app under."""
    return served(app) | haproxy_fronts.names(app)


def is_known(app: str) -> bool:
    """Whether some proxy of ours has a configuration of the app."""
    return conf_files.current(app) is not None or app in haproxy_fronts.current()


def _served_elsewhere(app: str, proxy: str) -> set[str]:
    return haproxy_fronts.names(app) if proxy == "nginx" else served(app)


def names_in(text: str) -> set[str]:
    return {name for names in _NAMES.findall(text) for name in names.split()}
