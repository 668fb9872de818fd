"""What nginx is told of each app: the text of its file, from domains, ports, certificate and live containers.

Nothing comes from a file that may be old: addresses are docker's answer of this moment, and only of
containers that carry the app's label. Every value in the text is refused if it could end a directive.
Source: dokku v0.24.0 plugins/nginx-vhosts.
"""

import functools
import os
import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from lib.app import apps, certs, domains, ports
from lib.base import files, log, settings
from lib.base.errors import DokkuError
from lib.proxy import conf_files, extra_ports, nginx_options, owners, proxies
from lib.runtime import containers
from lib.tools import nginx

_TEMPLATE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "templates", "nginx.conf.j2")
_ENDS_A_DIRECTIVE = re.compile(r"[;{}\"'\\\x00-\x1f\x7f]")


class Upstream(NamedTuple):
    name: str
    addresses: list[str]  # ip:port of each web container


class Server(NamedTuple):
    """One `server` block. upstream: empty when nothing listens. redirect: the https port to go to, or 0."""

    port: int
    is_secure: bool
    is_grpc: bool
    upstream: str
    redirect: int
    listen_words: str
    http2_directive: bool


def texts(
    wanted: Collection[str], closing: Collection[str] = (), leaving: Collection[str] = ()
) -> dict[str, str | None]:
    """What each app's nginx.conf is to hold; None for no file.

    closing: apps to answer 502 although their containers run. leaving: apps to have no file any more.
    Apps that inherit a domain which another one gives up are in the answer too.
    """
    found: dict[str, str | None] = dict.fromkeys(leaving)
    freed = {name for app in leaving for name in owners.served(app)}
    following = sorted(set(wanted) - found.keys())
    while True:
        gone = {app for app, text in found.items() if text is None}
        new = _written(following, closing, gone)
        found.update(new)
        freed |= {
            name for app, text in new.items() for name in owners.served(app) - owners.names_in(text or "")
        }
        heirs = {app for others in domains.claimants(sorted(freed)).values() for app in others}
        following = sorted(app for app in heirs - found.keys() if is_served(app))
        if not following:
            return found
        freed = set()


def is_served(app: str) -> bool:
    """Whether nginx is to know the app: it is deployed, and nginx is what brings it traffic."""
    if not proxies.is_enabled(app) or proxies.type_(app) != "nginx":
        return False
    return apps.is_deployed(app) or bool(containers.registered(app))


def accused(problem: str) -> str:
    """The app in whose directory the file lies that nginx complains of; empty when it is none of ours.

    Read from its words because it has no other way to say it: `[emerg] unknown directive "x" in /FILE:12`
    (nginx 1.22 to 1.28).
    """
    named = re.search(re.escape(settings.root()) + r"/([^/\s]+)/", problem)
    return named[1] if named and apps.exists(named[1]) else ""


def _written(
    wanted: Sequence[str], closing: Collection[str], leaving: Collection[str]
) -> dict[str, str | None]:
    served = [app for app in wanted if is_served(app)]
    named = sorted({name for app in served for name in domains.listed(app)})
    owner = owners.of(named, served, leaving) if named else {}
    addresses = _addresses([app for app in served if app not in closing])
    for app in served:
        if not addresses.get(app) and app not in closing:
            log.warn_quiet(f"No web listeners specified for {app}")
    return {app: _text(app, addresses.get(app, []), owner) if app in served else None for app in wanted}


def _addresses(wanted: Sequence[str]) -> dict[str, list[str]]:
    """The addresses of each app's running web containers, in one call of docker."""
    serving = [found for app in wanted for found in containers.registered(app) if found.process == "web"]
    alive = containers.states(serving) if serving else {}
    addresses: dict[str, list[str]] = {}
    for container in serving:
        state = alive.get(container.id)
        if state and state.running and state.ip:
            addresses.setdefault(container.app, []).append(state.ip)
    return addresses


def _text(app: str, addresses: list[str], owner: dict[str, str]) -> str | None:
    """The app's file; None when it has no name of its own to be served under."""
    names = _names(app, owner)
    if not names and domains.is_enabled(app):
        log.warn(f"{app} has no domain of its own, nginx does not serve it")
        return None
    entries = _entries(app)
    upstreams = [
        Upstream(f"{app}-{port}", [_address(ip, port) for ip in addresses])
        for port in sorted({entry.container for entry in entries})
        if addresses
    ]
    if not domains.is_enabled(app) and any(entry.host in extra_ports.own() for entry in entries):
        names = [domains.hostname()]  # a server without a name would be everybody's there
    return _rendered(
        **_options(app),
        app=app,
        names=names,
        upstreams=upstreams,
        servers=[_server(app, entry, entries, bool(addresses)) for entry in entries],
        several=len(addresses) > 1,
        certificate=certs.certificate(app),
        key=certs.key(app),
        includes=conf_files.includes(app),
        error_pages=_error_pages(),
    )


def _names(app: str, owner: dict[str, str]) -> list[str]:
    listed = domains.listed(app)
    for line in domains.stored(app) if domains.is_enabled(app) else []:
        if line not in listed:
            log.warn(f"Skipping invalid domain {line!a} of {app}")
        elif owner.get(line, app) != app:
            log.warn(f"Skipping domain {line} of {app}: it belongs to {owner[line]}")
    return [name for name in listed if owner.get(name, app) == app]


def _entries(app: str) -> list[ports.PortMap]:
    """The port map without what nginx can do only at the cost of other apps, or not at all."""
    found = [entry for entry in ports.mapped(app) if not entry.is_secure or certs.exists(app)]
    shared = extra_ports.own()
    spoken = shared if all(entry.host in shared for entry in found) else extra_ports.taken(besides=app)
    kept = []
    for entry in found:
        if spoken.setdefault(entry.host, _protocol(entry)) == _protocol(entry):
            kept.append(entry)
        else:
            log.warn(f"Skipping port map {entry} of {app}: another protocol is spoken at the port")
    return kept


def _protocol(entry: ports.PortMap) -> str:
    plain = extra_ports.HTTP2 if entry.scheme == "grpc" else extra_ports.PLAIN
    return extra_ports.TLS if entry.is_secure else plain


def _server(app: str, entry: ports.PortMap, entries: Sequence[ports.PortMap], is_up: bool) -> Server:
    is_grpc = entry.scheme.startswith("grpc")
    over_tls = next((other.host for other in entries if other.scheme == "https"), 0)
    goes_on = entry.scheme == "http" and entry.host in (80, ports.general(ports.HTTP, 80))
    http2 = is_grpc or entry.is_secure
    separate = http2 and nginx.version() >= (1, 25, 1)
    return Server(
        port=entry.host,
        is_secure=entry.is_secure,
        is_grpc=is_grpc,
        upstream=f"{app}-{entry.container}" if is_up else "",
        redirect=over_tls if goes_on else 0,
        listen_words=(" ssl" if entry.is_secure else "") + (" http2" if http2 and not separate else ""),
        http2_directive=separate,
    )


def _options(app: str) -> dict[str, Any]:
    chosen = nginx_options.effective(app)
    log_format = chosen["access-log-format"] if chosen["access-log-path"] != "off" else ""
    ipv4, ipv6 = chosen["bind-address-ipv4"], chosen["bind-address-ipv6"]
    return {
        "access_log": f"{chosen['access-log-path']} {log_format}".rstrip(),
        "error_log": chosen["error-log-path"] if chosen["error-log-path"] != "off" else "/dev/null",
        "bind_ipv4": f"{ipv4}:" if ipv4 else "",
        "bind_ipv6": ipv6 if has_ipv6() else "",
        "client_max_body_size": chosen["client-max-body-size"],
        "read_timeout": chosen["proxy-read-timeout"],
        "buffer_size": chosen["proxy-buffer-size"],
        "buffering": chosen["proxy-buffering"],
        "buffers": chosen["proxy-buffers"],
        "busy_buffers_size": chosen["proxy-busy-buffers-size"],
        "forwarded": [
            ("For", chosen["x-forwarded-for-value"]),
            ("Port", chosen["x-forwarded-port-value"]),
            ("Proto", chosen["x-forwarded-proto-value"]),
            ("Ssl", chosen["x-forwarded-ssl"]),
        ],
    }


def has_ipv6() -> bool:
    """Whether the host has IPv6 at all; nginx would not start with a directive for it if not."""
    return bool(files.read("/proc/net/if_inet6"))


def _error_pages() -> str:
    """The directory of the host's own error pages; empty where nobody put any."""
    directory = os.path.join(settings.data("nginx-vhosts"), "dokku-errors")
    pages = [os.path.join(directory, f"{code}-error.html") for code in (400, 404, 500, 502)]
    return directory if all(map(os.path.isfile, pages)) else ""


def _address(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _rendered(**values: Any) -> str:
    return str(_template().render(**values))


@functools.cache
def _template() -> Any:
    import jinja2  # 60 ms

    source = files.read(_TEMPLATE)
    if not source:
        raise DokkuError(f"{_TEMPLATE} is missing")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_harmless,
    )
    return environment.from_string(source)


def _harmless(value: object) -> str:
    text = str(value)
    if _ENDS_A_DIRECTIVE.search(text):
        raise DokkuError(f"{text!a} can't stand in an nginx configuration")
    return text
