"""Ports: which host port leads to which port of an app's containers, `scheme:host-port:container-port`.

What the user set is the variable DOKKU_PROXY_PORT_MAP. Without it the map follows from what is known at the
moment (builder, exposed ports, certificate, domains) and is not stored; property ports/APP/map-detected only
records that a proxy was built with it. DOKKU_PROXY_PORT and DOKKU_PROXY_SSL_PORT, also --global, stand for 80
and 443.
Source: dokku v0.24.0 plugins/proxy, plugins/nginx-vhosts.
"""

import contextlib
import os
from collections.abc import Callable, Container, Sequence

from lib.app import apps, certs, config, domains, network_settings
from lib.app.port_maps import PortMap as PortMap
from lib.app.port_maps import as_text as as_text
from lib.app.port_maps import of_words, refuse_doubles
from lib.app.port_maps import parse as parse
from lib.base import files, log, properties, settings, triggers, values
from lib.base.errors import DokkuError
from lib.base.report import Row

MAP = "DOKKU_PROXY_PORT_MAP"
HTTP = "DOKKU_PROXY_PORT"
HTTPS = "DOKKU_PROXY_SSL_PORT"
_ANNOUNCED = "map-announced"

Edit = Callable[[list[PortMap]], list[PortMap]]

_taken: set[int] = set()  # once somebody has asked for a port


def mapped(app: str) -> list[PortMap]:
    """The map in effect, sorted: the user's, else the detected one."""
    return stored(app) or detected(app)


def listed(app: str) -> list[PortMap]:
    """The map as people are shown it: none before a proxy was built for an app whose user set none."""
    return stored(app) or (detected(app) if properties.is_set("ports", app, "map-detected") else [])


def variables(app: str) -> dict[str, str]:
    """The map in effect as the variables in which Dokku 0.24 kept it; none before a proxy was built."""
    entries = listed(app)
    if not entries:
        return {}
    own = {HTTP: http_port(app), HTTPS: https_port(app) if certs.exists(app) else 0}
    return {
        **{key: str(port) for key, port in own.items() if port},
        MAP: " ".join(map(str, entries)),
    }


def stored(app: str) -> list[PortMap]:
    """What the user set. Words on disk that are no maps are left out."""
    text = config.get(app, MAP, "\0")
    return of_words(properties.get_list("ports", app, "map") if text == "\0" else text.split())


def detected(app: str) -> list[PortMap]:
    """What follows from builder, exposed ports, certificate and domains. Empty: no port is assigned yet."""
    announced, exposed = of_words(properties.get_list("ports", app, _ANNOUNCED)), exposed_ports(app)
    plain, secure = (80, 443) if exposed and not announced else (http_port(app), https_port(app))
    if announced or exposed:
        usual = {80: plain, 443: secure}
        wanted = announced or [PortMap("http", port, port) for port in exposed]
        found = [e._replace(host=usual.get(e.host, e.host)) for e in wanted if usual.get(e.host, e.host)]
        at = {entry.host: entry.container for entry in found if entry.scheme == "http"}
        target = at.get(plain) or at.get(secure, 0)
    else:
        target = upstream_port(app)
        found = [PortMap("http", plain, target)] if plain else []
    if secure and target and certs.exists(app) and PortMap("https", secure, target) not in found:
        found = [entry for entry in found if entry[:2] != ("http", secure)]  # an exposed 443
        if not any(entry.host == secure for entry in found):
            found.append(PortMap("https", secure, target))
    return sorted(found, key=str)


def settle(app: str) -> None:
    """Fix the map before a proxy is built: an app that has no domains gets host ports of its own."""
    is_fixed = stored(app) or (exposed_ports(app) and not properties.get_list("ports", app, _ANNOUNCED))
    if not is_fixed and not domains.is_enabled(app):
        wanted = [(HTTP, "proxy port", http_port(app))]
        if certs.exists(app):
            wanted.append((HTTPS, "proxy ssl port", https_port(app)))
        for key, what, port in wanted:
            if not port:
                log.info1(f"no {what} set. setting to random open high port")
                config.set_values(app, {key: str(available())})
    found = [str(entry) for entry in detected(app)]
    if found != properties.get_list("ports", app, "map-detected"):
        _warn_of_unused_certificate(app)
        properties.write_list("ports", app, "map-detected", found)


def announce(app: str, words: Sequence[str]) -> None:
    """Let a builder say what its images listen at, in place of exposed ports; nothing: forget it.

    Host ports 80 and 443 stand for whichever the app has instead.
    """
    entries = [parse(word) for word in words]
    if entries:
        properties.write_list("ports", app, _ANNOUNCED, [str(entry) for entry in entries])
    else:
        properties.delete("ports", app, _ANNOUNCED)


def setting(app: str, key: str) -> str:
    """What plugins ask for by name: map, map-detected, proxy-port or proxy-ssl-port."""
    known: dict[str, Callable[[str], object]] = {
        "map": lambda app: " ".join(map(str, stored(app))),
        "map-detected": lambda app: " ".join(map(str, detected(app))),
        "proxy-port": http_port,
        "proxy-ssl-port": https_port,
    }
    return str(known[key](app) or "") if key in known else ""


def http_port(app: str) -> int:
    """The host port for plain requests; 0 for an app without domains that has none yet."""
    return _port_of(app, HTTP, 80)


def https_port(app: str) -> int:
    return _port_of(app, HTTPS, 443)


def general(key: str, default: int) -> int:
    """The host's own port for HTTP or HTTPS."""
    text = config.get(config.GLOBAL, key)
    return int(text) if values.is_port(text) else default


def exposed_ports(app: str) -> list[int]:
    """The TCP ports that the app's Dockerfile exposes."""
    words = config.get(app, "DOKKU_DOCKERFILE_PORTS").split()
    ports = [word.removesuffix("/tcp") for word in words if not word.endswith("/udp")]
    return list(dict.fromkeys(int(port) for port in ports if values.is_port(port)))


def upstream_port(app: str) -> int:
    """The port of what listens for the app: its static-web-listener, else its first web container."""
    static = [one.port for one in network_settings.listeners(app)]
    text = next(iter(static), "") or files.read(os.path.join(settings.app_dir(app), "PORT.web.1")).strip()
    return int(text) if values.is_port(text) else 5000


def available() -> int:
    """A port above 1024 that nobody listens at and no app was given. Looks at all apps once."""
    import secrets
    import socket

    if not _taken:
        _taken.update(entry.host for app in apps.names() for entry in mapped(app))
    while True:
        port = 1025 + secrets.randbelow(65536 - 1025)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            if port not in _taken:
                _taken.add(port)
                return port


def add(app: str, words: Sequence[str] | None) -> None:
    """Add to the map. Fires: post-proxy-ports-update. Raises: DokkuError for a bad or doubled one."""
    given = _given(words)
    _change(app, "add", lambda before: [*before, *given])


def set_(app: str, words: Sequence[str] | None) -> None:
    """Put a map in place of the present one. Fires: post-proxy-ports-update."""
    given = _given(words)
    _change(app, "set", lambda _: given)


def remove(app: str, words: Sequence[str] | None) -> None:
    """Take entries out of the map, whole ones or by host port. Fires: post-proxy-ports-update."""
    if not words:
        raise DokkuError("No port mapping specified")
    ports = [int(word) for word in words if values.is_port(word)]
    entries = [parse(word) for word in words if not values.is_port(word)]
    _change(app, "remove", lambda before: [e for e in before if e not in entries and e.host not in ports])


def clear(app: str) -> None:
    """Go back to the detected map. Fires: post-proxy-ports-update."""
    _change(app, "clear", lambda _: [])


def show(app: str, shape: str = "stdout") -> None:
    """Print the map as a table, or as JSON. Raises: DokkuError when there is none to put in a table."""
    entries = listed(app)
    if shape not in ("stdout", "json"):
        raise DokkuError(f"Invalid output format specified, supported formats: json, stdout: {shape}")
    if shape == "json":
        log.plain(as_text(entries, shape).rstrip())
        return
    if not entries:
        raise DokkuError("No port mappings configured for app")
    log.info1_quiet(f"Port mappings for {app}")
    head = [] if log.is_quiet() else [("-----> scheme", "host port", "container port")]
    log.columns([*head, *(tuple(str(entry).split(":")) for entry in entries)], indent="    ")


def rows(app: str) -> list[Row]:
    """What ports:report knows of an app."""
    return [
        Row(f"--ports-{name}{suffix}", as_text(entries, shape).strip().replace("\n", " "), newer=bool(suffix))
        for name, entries in (("map", stored(app)), ("map-detected", detected(app)))
        for suffix, shape in (("", "text"), ("-json", "json"))
    ]


def follow_certificate(app: str) -> None:
    """Where the user's map leads http from the host's own port, lead https there too: a certificate is in.

    The detected map follows by itself. Own ports that are the usual ones are forgotten.
    """
    usual = [key for key, port in ((HTTP, "80"), (HTTPS, "443")) if config.get(app, key) == port]
    config.unset_values(app, usual)
    pairs = _secure_ports()
    plain = sorted((e for e in stored(app) if e.scheme == "http" and e.host in pairs), reverse=True)
    new = {pairs[e.host]: PortMap("https", pairs[e.host], e.container) for e in plain}  # 80 comes last
    bare = [e for e in stored(app) if e.scheme == "http" and e.host in pairs.values()]  # an exposed 443, say
    new = {e.host: PortMap("https", e.host, e.container) for e in bare} | new
    _edit(app, lambda before: [*(e for e in before if e.host not in new), *new.values()], stored)
    _warn_of_unused_certificate(app)


def _warn_of_unused_certificate(app: str) -> None:
    """Say so when the app has a certificate, and nothing of its map is served with it."""
    entries = mapped(app)
    if not certs.exists(app) or not domains.is_enabled(app) or any(entry.is_secure for entry in entries):
        return
    target = next((entry.container for entry in entries), 5000)
    log.warn(
        f"The certificate of {app} serves nothing: its ports are {' '.join(map(str, entries)) or 'none'}"
    )
    ports = f"http:{http_port(app)}:{target} https:{https_port(app)}:{target}"
    log.warn(f"To serve with it: dokku ports:set {app} {ports}")


def forget_certificate(app: str) -> None:
    """Take https at the host's own port out of the user's map: the certificate is gone."""
    config.unset_values(app, [HTTPS])
    ports = _secure_ports().values()
    _edit(app, lambda before: [e for e in before if not _is_https_at(e, ports)], stored)


def drop_own(app: str) -> None:
    """Forget the host ports that were the app's alone; the host's own count again."""
    config.unset_values(app, [HTTP, HTTPS])


def drop_map(app: str) -> None:
    """Forget the user's map, without a word to any proxy."""
    _edit(app, lambda _: [], stored)


def drop_all(app: str) -> None:
    """Forget the app's host ports and its map."""
    drop_own(app)
    drop_map(app)


def separate(app: str) -> None:
    """Let a copy of an app have ports of its own, not those of its original."""
    properties.delete("ports", app, "map-detected")
    if not domains.is_enabled(app):
        drop_own(app)


def _port_of(app: str, key: str, default: int) -> int:
    own = config.get(app, key)
    if values.is_port(own):
        return int(own)
    return general(key, default) if domains.is_enabled(app) else 0


def _given(words: Sequence[str] | None) -> list[PortMap]:
    given = [parse(word) for word in words or [] if not values.is_port(word)]
    if not given:
        raise DokkuError("No port mapping specified")
    return given


def _secure_ports() -> dict[int, int]:
    """For each host port for http that is everybody's the one for https."""
    return {general(HTTP, 80): general(HTTPS, 443), 80: 443}


def _is_https_at(entry: PortMap, ports: Container[int]) -> bool:
    return entry.scheme == "https" and entry.host in ports


def _change(app: str, operation: str, edit: Edit) -> None:
    _edit(app, edit, listed)
    triggers.fire("post-proxy-ports-update", app, operation)


def _edit(app: str, edit: Edit, present: Callable[[str], list[PortMap]]) -> None:
    """Rewrite the user's map. present: what is edited."""
    with files.locked(os.path.join(settings.app_dir(app), MAP)):
        new = sorted(set(edit(present(app))), key=str)
        refuse_doubles(new)
        if new:
            config.set_values(app, {MAP: " ".join(map(str, new))})
        else:
            config.unset_values(app, [MAP])
            properties.delete("ports", app, "map")
