"""What haproxy is told of all apps together: one configuration, lists of names and of certificates by port.

Names and other words come from people; whatever could be more than one word is refused before.
"""

import os
import re
from collections.abc import Mapping, Sequence

from lib.base import procfs, values
from lib.base.errors import DokkuError
from lib.proxy import haproxy_fronts, haproxy_options, hsts
from lib.proxy.haproxy_fronts import Front, Route

_WORD = re.compile(r"[A-Za-z0-9_.:*-]+")
_GLOBAL = """\
# Written by dokku for the apps whose proxy is haproxy; it is written again on each deploy.
global
  default-path config
  log stdout format raw local0 {level}
  maxconn {connections}
  no strict-limits
  hard-stop-after 1h
  mworker-max-reloads 50
  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
{user}
defaults
  mode http
  log global
  option httplog
  option dontlognull
  option redispatch
  option http-restrict-req-hdr-names delete
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-request 30s
  timeout http-keep-alive 75s
  timeout tunnel 1h
  compression algo gzip
  compression type text/html text/plain text/css text/javascript text/xml application/javascript \
application/json application/xml application/rss+xml image/svg+xml

backend nobody
  http-request return status 404
"""
_FORWARDED = """\
  http-request set-var(txn.upgrade) str(websocket) if { req.fhdr(upgrade) -m str -i websocket }
  http-request del-header Connection
  http-request del-header Upgrade
  http-request del-header HTTP2-Settings
  http-request del-header Proxy
  http-request del-header Proxy-Connection
  http-request set-header Connection upgrade if { var(txn.upgrade) -m found }
  http-request set-header Upgrade websocket if { var(txn.upgrade) -m found }
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Request-Start %Ts.%ms
"""
_HOST = "req.fhdr(host)"  # all of it: `a.com, b.com` is no list of two
_HOSTS = r"^[A-Za-z0-9._:\[\]-]+$"
_SITE = f"{_HOST},host_only,lower,rtrim(.)"


def made(fronts: Mapping[str, Front]) -> dict[str, str]:
    """The files of a configuration, by name."""
    general = haproxy_options.general()
    known = [front for _, front in sorted(fronts.items())]
    ports = listened(fronts)
    texts = {haproxy_fronts.RECORD: haproxy_fronts.as_text(fronts)}
    parts = [_general(general)]
    for port, is_secure in ports.items():
        here = [front for front in known if _is_at(front, port, is_secure)]
        exact, wild = _names(here, port)
        texts[f"names-{port}.map"] = "".join(f"{name} {target}\n" for name, target in exact)
        texts[f"wildcards-{port}.map"] = "".join(f"{name} {target}\n" for name, target in wild)
        if is_secure:
            texts[f"certificates-{port}.list"] = _certificates(here)
        parts.append(_frontend(port, is_secure, here, bound()))
    parts += [backends(front) for front in known]
    parts += [_redirection(port) for port in sorted({r.redirect for f in known for r in f.routes} - {0})]
    return {**texts, haproxy_fronts.MAIN: "\n".join(parts)}


def listened(fronts: Mapping[str, Front]) -> dict[int, bool]:
    """The ports of a configuration, and whether TLS is spoken there; haproxy's own for HTTP always is one.

    A front that was made before that was haproxy's own does not change what is spoken at it.
    """
    found = {route.port: route.is_secure for front in fronts.values() for route in front.routes}
    found[haproxy_options.port("http-port")] = False
    return dict(sorted(found.items()))


def bound() -> str:
    """The address at which haproxy listens; `::` stands for every one, also of IPv4."""
    everywhere = "::" if procfs.has_ipv6() else "0.0.0.0"
    return haproxy_options.general()["bind-address"] or everywhere


def ports_in(text: str) -> set[int]:
    """The ports of a configuration that was made before, maybe with other options."""
    return {int(port) for port in re.findall(r"^frontend at-([0-9]+)$", text, re.MULTILINE)}


def is_bound_in(text: str) -> bool:
    """Whether a configuration that was made before has the address that haproxy is to have now."""
    return f"  bind {values.joined_host(bound(), '')}" in text


def verify(front: Front) -> None:
    """Raises: DokkuError when a word of the front can't stand in a configuration."""
    words = [front.app, *front.names, *front.addresses]
    for word in words:
        if not _WORD.fullmatch(word):
            raise DokkuError(f"{word!a} can't stand in a haproxy configuration")


def backends(front: Front) -> str:
    """The part of the configuration that is the app's alone."""
    targets = {(route.container, route.is_http2) for route in front.routes if not route.redirect}
    return "\n".join(_backend(front, container, is_http2) for container, is_http2 in sorted(targets))


def described(front: Front) -> str:
    """The app's part of the configuration as people may want to see it."""
    ports = [f"{r.port}{' with TLS' if r.is_secure else ''}" for r in front.routes]
    names = " ".join(front.names) or "every name"
    return f"# {front.app}: {names}, at port {', '.join(ports)}\n{backends(front)}"


def _general(options: Mapping[str, str]) -> str:
    user = "  user nobody\n  group nogroup\n" if os.geteuid() == 0 else ""
    return _GLOBAL.format(level=options["log-level"], connections=options["max-connections"], user=user)


def _frontend(port: int, is_secure: bool, here: Sequence[Front], address: str) -> str:
    nameless = [front for front in here if not front.names]
    words = ["bind", values.joined_host(address, port), *(["v4v6"] if address == "::" else [])]
    if is_secure:
        words += ["ssl", f"crt-list certificates-{port}.list", "alpn h2,http/1.1"]
        words += [] if nameless else ["strict-sni"]
    default = _target(nameless[0].app, _route(nameless[0], port)) if nameless else "nobody"
    return f"""\
frontend at-{port}
  {" ".join(words)}
  http-request return status 400 if {{ {_HOST} -m found }} !{{ {_HOST} -m reg {_HOSTS} }}
  http-request set-var(txn.site) {_SITE},map_str(names-{port}.map)
  http-request set-var(txn.site) {_SITE},map_end(wildcards-{port}.map) unless {{ var(txn.site) -m found }}
  use_backend %[var(txn.site)] if {{ var(txn.site) -m found }}
  default_backend {default}
"""


def _backend(front: Front, container: int, is_http2: bool) -> str:
    lines = [f"backend {_named(front.app, container, is_http2)}\n"]
    lines.append(f"  timeout server {front.options['proxy-read-timeout']}\n")
    most = front.options["client-max-body-size"]
    if most and haproxy_options.bytes_of(most):
        bound = haproxy_options.bytes_of(most)
        lines.append(f"  http-request deny deny_status 413 if {{ req.body_size gt {bound} }}\n")
    lines.append(_FORWARDED)
    header = hsts.header(front.options)
    if header and front.certificate:
        lines.append(f'  http-response set-header Strict-Transport-Security "{header}" if {{ ssl_fc }}\n')
    if not front.addresses:
        lines.append("  http-request return status 502\n")
    for number, ip in enumerate(front.addresses, 1):
        how = " proto h2" if is_http2 else ""
        lines.append(f"  server web-{number} {values.joined_host(ip, container)}{how}\n")
    return "".join(lines)


def _redirection(port: int) -> str:
    shown = "" if port == 443 else f":{port}"
    location = f"https://%[{_HOST},host_only]{shown}%[pathq]"
    return f"backend to:{port}\n  http-request redirect location {location} code 301\n"


def _names(here: Sequence[Front], port: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Whole names, and the ends that stand for `*.NAME` with the longest first; each with its backend."""
    found = [(name, _target(front.app, _route(front, port))) for front in here for name in front.names]
    ends = [(name.removeprefix("*"), target) for name, target in found if name.startswith("*")]
    exact = [pair for pair in found if not pair[0].startswith("*")]
    return exact, sorted(ends, key=lambda pair: (-len(pair[0]), pair[0]))


def _certificates(here: Sequence[Front]) -> str:
    """Which certificate is shown for which names. Of two for one the first: an app's own names come first."""
    pairs = [(front, front.names) for front in here]
    pairs += [(front, [*front.covered]) for front in here if front.covered]
    return "".join(
        " ".join([haproxy_fronts.certificate(front.certificate), *names]) + "\n" for front, names in pairs
    )


def _is_at(front: Front, port: int, is_secure: bool) -> bool:
    return any(route.port == port and route.is_secure == is_secure for route in front.routes)


def _route(front: Front, port: int) -> Route:
    return next(route for route in front.routes if route.port == port)


def _target(app: str, route: Route) -> str:
    return f"to:{route.redirect}" if route.redirect else _named(app, route.container, route.is_http2)


def _named(app: str, container: int, is_http2: bool) -> str:
    return f"{app}-{container}{':h2' if is_http2 else ''}"
