"""nginx.conf.sigil: the template that an app brings for its own part of nginx's configuration.

It is the one in the image that serves the app now, so it goes and comes back with the release. Whoever wrote
the app wrote it: `go_templates` lets it reach nothing but its values. The result is read as a tree, judged by
`template_rules`, `template_names`, `template_costs`, `template_files` and `template_servers`, and written
anew from the tree.
An operator may trust it (trusted-template): then only its server names are judged, and it stays as it is.
Source: dokku v0.24.0 plugins/nginx-vhosts; what the template sees of later options: 0.38.
"""

import functools
import re
from collections.abc import Callable, Collection, Mapping, Sequence

from lib.app import certs, config, ports, source_files
from lib.base import files, log, properties, settings, triggers, values
from lib.base.errors import DokkuError
from lib.proxy import (
    certificate_names,
    conf_notes,
    go_templates,
    hsts,
    nginx_options,
    template_costs,
    template_files,
    template_names,
    template_rules,
    template_servers,
)
from lib.proxy.conf_notes import Note
from lib.proxy.sites import Neighbours, Site
from lib.proxy.template_rules import Grounds
from lib.runtime import containers, image_files
from lib.runtime.containers import State
from lib.tools import nginx, nginx_syntax
from lib.tools.nginx_syntax import Directive

NAME = source_files.NGINX_TEMPLATE.name
_SOURCE = "nginx-app-template-source"
_REFUSED = nginx_options.REFUSED

_RENAMED = {
    "access-log-format": "NGINX_ACCESS_LOG_FORMAT",
    "access-log-path": "NGINX_ACCESS_LOG_PATH",
    "bind-address-ipv4": "NGINX_BIND_ADDRESS_IP4",
    "bind-address-ipv6": "NGINX_BIND_ADDRESS_IP6",
    "error-log-path": "NGINX_ERROR_LOG_PATH",
    "underscore-in-headers": "NGINX_UNDERSCORE_IN_HEADERS",
    "x-forwarded-for-value": "PROXY_X_FORWARDED_FOR",
    "x-forwarded-port-value": "PROXY_X_FORWARDED_PORT",
    "x-forwarded-proto-value": "PROXY_X_FORWARDED_PROTO",
    "x-forwarded-ssl": "PROXY_X_FORWARDED_SSL",
}
_DEPRECATED = {
    "DOKKU_APP_LISTENERS": "DOKKU_APP_WEB_LISTENERS",
    "NGINX_PORT": "PROXY_PORT",
    "NGINX_SSL_PORT": "PROXY_SSL_PORT",
}


def readers(wanted: Sequence[str]) -> dict[str, Callable[[], str]]:
    """How to get the template of each app that may have one; it is empty where there is none.

    Fires: nginx-app-template-source, whose answer is the path of one for apps without their own.
    """
    heard = [app for app in wanted if not is_ignored(app)]
    found = image_files.readers(heard, NAME) if heard else {}
    if not triggers.has_plugins(_SOURCE):
        return found
    return {app: functools.partial(_of_plugin, app, found.get(app)) for app in wanted}


def _of_plugin(app: str, own: Callable[[], str] | None) -> str:
    path = triggers.ask(_SOURCE, app, "app-config").strip()
    return (own and own()) or (files.read(path) if path else "")


def is_expected(app: str) -> bool:
    """Whether the app's last image had a template that counts."""
    return not is_ignored(app) and image_files.is_expected(app, NAME)


def is_ignored(app: str) -> bool:
    return properties.get(nginx_options.STORE, app, "disable-custom-config") == "true"


def rendered(
    site: Site, template: str, has_ipv6: bool, states: Mapping[str, State], neighbours: Neighbours
) -> str:
    """The text of the app's file. states: of its containers, by id. neighbours: what other apps have.

    Raises: DokkuError that names the template and the line.
    """
    for name, better in _DEPRECATED.items():
        if re.search(rf"\b{name}\b", template):
            log.warn(f"Deprecated: {name} in {NAME} of {site.app}, please use {better}")
    told = variables(site, states)
    try:
        text, note = _result(
            site, go_templates.render(template, told, config.merged(site.app)), told, has_ipv6, neighbours
        )
    except DokkuError as error:
        reason = f"{NAME} {error.text}"
        properties.write(nginx_options.STORE, site.app, _REFUSED, reason)
        raise DokkuError(reason) from error
    forget_refusal(site.app)
    others = sorted(ip for ip in _addresses(told) - {*site.addresses} if ip in text)
    return conf_notes.signed(text, note._replace(addresses=[*site.addresses, *others]))


def forget_refusal(app: str) -> None:
    """Note that no template of the app is refused."""
    if properties.get(nginx_options.STORE, app, _REFUSED):
        properties.delete(nginx_options.STORE, app, _REFUSED)


def _result(
    site: Site, text: str, told: Mapping[str, str], has_ipv6: bool, neighbours: Neighbours
) -> tuple[str, Note]:
    """What is installed of a template's result, and a note of it. Raises: DokkuError with the line."""
    try:
        tree = nginx_syntax.read(text)
        if nginx_options.effective(site.app)["trusted-template"] == "true":
            note = template_servers.noted(tree, site)
            return _tidied(text, has_ipv6), note
        tree = _judged(tree, site, told)
        tree = template_servers.completed(tree, site, has_ipv6)
        note = template_servers.judged(tree, site, neighbours)
    except DokkuError as error:
        advice = f"(dokku nginx:set {site.app} trusted-template true lets it have its way)"
        raise DokkuError(f"{error.text.replace(':', ' of the result:', 1)} {advice}") from error
    return nginx_syntax.write(tree), note


def _judged(tree: Sequence[Directive], site: Site, told: Mapping[str, str]) -> tuple[Directive, ...]:
    """The tree with nothing in it that reaches beyond the app. Raises: DokkuError with the line."""
    names = template_names.defined(tree, site.app)
    template_rules.verify(tree, _grounds(site, told, names.upstreams))
    template_costs.verify(tree)
    own = template_costs.limited(template_names.renamed(tree, names))
    return template_files.confined(template_files.moved(own), site.app)


def _grounds(site: Site, told: Mapping[str, str], upstreams: Collection[str]) -> Grounds:
    listeners = {at for name, value in told.items() if name.endswith("_LISTENERS") for at in value.split()}
    known = {at.rpartition(":")[2] for at in listeners} | {str(entry.container) for entry in site.entries}
    known |= set(map(str, ports.exposed_ports(site.app)))
    own = {values.joined_host(ip, port) for ip in _addresses(told) for port in known}
    logs = [f"{settings.nginx_logs()}/{site.app}-{kind}.log" for kind in ("access", "error")]
    chosen = [told[f"NGINX_{kind}_LOG_PATH"] for kind in ("ACCESS", "ERROR")]
    allowed = nginx_options.effective(site.app)["allowed-upstreams"].split(",")
    return Grounds(site.app, listeners | own, allowed, [*logs, *chosen], upstreams)


def _tidied(text: str, has_ipv6: bool) -> str:
    if not has_ipv6:
        text = re.sub(r"^[ \t]*listen[ \t]+\[[^;\n]*;[ \t]*$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", f"\n{text}").removeprefix("\n")


def variables(site: Site, states: Mapping[str, State]) -> dict[str, str]:
    """What a template may ask for by name."""
    chosen = nginx_options.effective(site.app)
    words = {_RENAMED.get(key, key.upper().replace("-", "_")): value for key, value in chosen.items()}
    if chosen["error-log-path"] == "off":
        words["NGINX_ERROR_LOG_PATH"] = "/dev/null"
    found = {**words, **_places(site), **_ports(site), **_listeners(site, states), **_abilities()}
    checked = {name: nginx_options.harmless(value) for name, value in found.items()}
    return {**checked, "HSTS_HEADERS": hsts.header(chosen)}


def _places(site: Site) -> dict[str, str]:
    secure = certs.exists(site.app)
    return {
        "APP": site.app,
        "APP_SSL_PATH": certs.directory(site.app),
        "DOKKU_LIB_ROOT": settings.lib(),
        "DOKKU_ROOT": settings.root(),
        "NGINX_LOG_ROOT": settings.nginx_logs(),
        "NOSSL_SERVER_NAME": " ".join(site.names),
        "SSL_INUSE": "true" if secure else "",
        "SSL_SERVER_NAME": " ".join(certificate_names.covered(site.app, site.names)) if secure else "",
    }


def _ports(site: Site) -> dict[str, str]:
    http, https = (str(port or "") for port in (ports.http_port(site.app), ports.https_port(site.app)))
    upstream = dict.fromkeys(str(entry.container) for entry in site.entries)
    return {
        "NGINX_PORT": http,
        "NGINX_SSL_PORT": https,
        "PROXY_PORT": http,
        "PROXY_PORT_MAP": " ".join(map(str, site.entries)),
        "PROXY_SSL_PORT": https,
        "PROXY_UPSTREAM_PORTS": " ".join(upstream),
        "RAW_TCP_PORTS": " ".join(map(str, ports.exposed_ports(site.app))),
    }


def _listeners(site: Site, states: Mapping[str, State]) -> dict[str, str]:
    """`ip:port` of each running process, by type; those of web are also known by older names."""
    registered = containers.registered(site.app)
    kinds: dict[str, list[str]] = {}
    web_port = next((one.port for one in registered if one.process == "web" and one.port), "5000")
    for one in registered:
        state = states.get(one.id)
        if one.process != "web" and state and state.running and state.ip:
            kinds.setdefault(one.process, []).append(values.joined_host(state.ip, one.port or "5000"))
    kinds["web"] = [values.joined_host(ip, web_port) for ip in site.addresses]
    named = {
        f"DOKKU_APP_{process.upper().replace('-', '_')}_LISTENERS": " ".join(addresses)
        for process, addresses in kinds.items()
    }
    return {
        **named,
        "DOKKU_APP_LISTENERS": " ".join(kinds["web"]),
        "DOKKU_APP_LISTEN_IP": "",
        "DOKKU_APP_LISTEN_PORT": "",
        "PASSED_LISTEN_IP_PORT": "",
    }


def _addresses(told: Mapping[str, str]) -> set[str]:
    """Those of all listeners that a template has been told of."""
    found = (at for name, value in told.items() if name.endswith("_LISTENERS") for at in value.split())
    return {at.rpartition(":")[0].strip("[]") for at in found}


def _abilities() -> dict[str, str]:
    """What the installed nginx can do."""
    version = nginx.version()
    found = {
        "GRPC_SUPPORTED": version >= (1, 13, 10),
        "HTTP2_DIRECTIVE_SUPPORTED": version >= (1, 25, 1),
        "HTTP2_PUSH_SUPPORTED": (1, 13, 9) <= version < (1, 25, 1),
        "HTTP2_SUPPORTED": version >= (1, 11, 5),
        "SPDY_SUPPORTED": version < (1, 9, 5),
        "TLS13_SUPPORTED": version >= (1, 13, 0),
    }
    return {name: str(able).lower() for name, able in found.items()}
