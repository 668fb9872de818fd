"""What nginx is told of each app: the text of its file. A value that could end a directive is refused.

Source: dokku v0.24.0 plugins/nginx-vhosts.
"""

import contextlib
import functools
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lib.app import apps, certs, domains, ports
from lib.base import files, log, procfs, settings, values
from lib.base.errors import DokkuError
from lib.proxy import (
    app_templates,
    certificate_names,
    conf_files,
    conf_notes,
    nginx_options,
    owners,
    port_owners,
    sites,
)
from lib.proxy.conf_notes import Listen, Note
from lib.proxy.port_owners import Listening
from lib.proxy.sites import Site
from lib.runtime import containers
from lib.tools import nginx

_TEMPLATE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "templates", "nginx.conf.j2")
_LATER = (
    ("client-body-timeout", "client_body_timeout"),
    ("client-header-timeout", "client_header_timeout"),
    ("keepalive-timeout", "keepalive_timeout"),
    ("lingering-timeout", "lingering_timeout"),
    ("send-timeout", "send_timeout"),
    ("underscore-in-headers", "underscores_in_headers"),
)


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
    wanted: Collection[str],
    leaving: Collection[str] = (),
    refused: dict[str, str] | None = None,
) -> dict[str, str | None]:
    """What each app's nginx.conf is to hold; None for no file.

    leaving: apps to have no file any more.
    refused: gets the reason for apps of which no text can be made, be it that their template is none; these
    are not in the answer. Apps that inherit a domain which another one gives up are in it too.
    Raises: DokkuError with that reason when there is no `refused`.
    """
    found: dict[str, str | None] = dict.fromkeys(leaving)
    freed = {name for app in leaving for name in owners.served(app)}
    following = sorted(set(wanted) - found.keys())
    settled: dict[str, Listening | None] = dict.fromkeys(leaving)
    while True:
        gone = {app for app, text in found.items() if text is None}
        gathered = sites.gather(following, gone, settled=settled)
        usurped = {app: why for app, site in gathered.items() if (why := _usurped(app, site))}
        if usurped and refused is not None:
            refused |= usurped
            gathered = {app: site for app, site in gathered.items() if app not in usurped}
        new = _made(gathered, refused, settled)
        found.update(new)
        freed |= {
            name for app, text in new.items() for name in owners.served(app) - owners.names_in(text or "")
        }
        heirs = {app for others in domains.claimants(sorted(freed)).values() for app in others}
        following = sorted(
            app for app in heirs - found.keys() - (refused or {}).keys() if sites.is_served(app)
        )
        if not following:
            return found
        freed = set()


def announce(app: str) -> None:
    """The words people are used to see before an app's text is made."""
    is_own = app_templates.is_expected(app)
    if is_own:
        log.info1(f"Overriding default nginx.conf with detected {app_templates.NAME}")
    if certs.exists(app):
        certificate_names.warn_of_mismatch(app)
    for name in domains.listed(app):
        log.info1(f"Configuring {name}...(using {'app-supplied' if is_own else 'built-in'} template)")
    log.info1(f"Creating {'https' if certs.exists(app) else 'http'} nginx.conf")


def accused(problem: str) -> str:
    """The app in whose directory the file lies that nginx complains of; empty when it is none of ours.

    Read from its words because it has no other way to say it: `[emerg] unknown directive "x" in /FILE:12`
    (nginx 1.22 to 1.28). Without a place at its end (a certificate that can't be read) the first file.
    """
    directory = re.escape(settings.root()) + r"/([^/\s]+)/"
    named = re.search(rf".* in {directory}\S*:[0-9]+$", problem) or re.search(directory, problem)
    return named[1] if named and apps.exists(named[1]) else ""


def _made(
    gathered: Mapping[str, Site | None], refused: dict[str, str] | None, settled: dict[str, Listening | None]
) -> dict[str, str | None]:
    """The text of each site: of its own template, if it brings one and something listens, else of ours.

    Templates come last: they may say whatever they like of ports and names, and are judged by all the others.
    settled: what apps will have whose text is made; gets these too.
    """
    found: dict[str, str | None] = {}
    own: dict[str, str] = {}
    readers = app_templates.readers([app for app, site in gathered.items() if site and site.addresses])
    for app, site in gathered.items():
        with _refusing(app, refused):
            own[app] = readers[app]() if app in readers else ""
            if not own[app]:
                app_templates.forget_refusal(app)
                found[app] = site and _text(site)
                settled[app] = _listening(app, found[app])
    templates = {app: template for app, template in own.items() if template}
    states = containers.states(one for app in templates for one in containers.registered(app))
    present = functools.cache(port_owners.present)
    for app, template in templates.items():
        neighbours = functools.partial(sites.neighbours, app, "nginx", present, settled)
        with _refusing(app, refused):
            if site := gathered[app]:
                found[app] = app_templates.rendered(site, template, has_ipv6(), states, neighbours)
                settled[app] = _listening(app, found[app])
    return found


@contextlib.contextmanager
def _refusing(app: str, refused: dict[str, str] | None) -> Iterator[None]:
    try:
        yield
    except DokkuError as error:
        if refused is None:
            raise
        refused[app] = error.text


def _listening(app: str, text: str | None) -> Listening | None:
    return port_owners.listening(app, text) if text else None


def _usurped(app: str, site: Site | None) -> str:
    """Why nginx would not serve an app any more that it serves now: others have all the names it lists."""
    if site or not owners.served(app) or not sites.is_served(app):
        return ""
    others = owners.of(domains.listed(app), [app])
    taken = [f"{name} belongs to {owner}" for name, owner in sorted(others.items()) if owner != app]
    return ", ".join(taken)


def _text(site: Site) -> str:
    app, chosen = site.app, nginx_options.effective(site.app)
    upstreams = [
        Upstream(f"{app}-{port}", [values.joined_host(ip, port) for ip in site.addresses])
        for port in sorted({entry.container for entry in site.entries})
        if site.addresses
    ]
    text = _rendered(
        **_options(chosen),
        given=nginx_options.given(app),
        later=_LATER,
        app=app,
        names=site.names,
        upstreams=upstreams,
        servers=[_server(app, entry, site.entries, bool(site.addresses)) for entry in site.entries],
        several=len(site.addresses) > 1,
        certificate=certs.certificate(app),
        key=certs.key(app),
        includes=conf_files.includes(app),
        error_pages=_error_pages(),
    )
    names = site.names if site.entries else []
    return conf_notes.signed(text, Note(site.addresses, names, _listens(site, chosen)))


def _listens(site: Site, chosen: Mapping[str, str]) -> list[Listen]:
    addresses = [chosen["bind-address-ipv4"], *([f"[{chosen['bind-address-ipv6']}]"] if has_ipv6() else [])]
    return [
        conf_notes.at(address, entry.host, port_owners.protocol(entry))
        for entry in site.entries
        for address in addresses
    ]


def _server(app: str, entry: ports.PortMap, entries: Sequence[ports.PortMap], is_up: bool) -> Server:
    is_grpc = entry.scheme.startswith("grpc")
    secure = sorted(other.host for other in entries if other.scheme == "https")
    over_tls = next((port for port in (ports.https_port(app), 443, *secure) if port in secure), 0)
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


def _options(chosen: Mapping[str, str]) -> dict[str, Any]:
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


@functools.cache
def has_ipv6() -> bool:
    """Whether the host has IPv6 at all; nginx would not start with a directive for it if not."""
    return procfs.has_ipv6()


def _error_pages() -> str:
    """The directory of the host's own error pages; empty where nobody put any."""
    directory = os.path.join(settings.data("nginx-vhosts"), "dokku-errors")
    pages = [os.path.join(directory, f"{code}-error.html") for code in (400, 404, 500, 502)]
    return directory if all(map(os.path.isfile, pages)) else ""


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
        finalize=nginx_options.harmless,
    )
    return environment.from_string(source)
