"""Proxies: which one brings traffic to an app, and whether any does. Source: dokku v0.24.0 plugins/proxy."""

from collections.abc import Sequence

from lib.app import apps, config, config_changes, ports
from lib.base import log, properties, triggers, values
from lib.base.errors import DokkuError
from lib.base.report import Row
from lib.proxy import haproxy_options, owners
from lib.tools import haproxy

OURS = ("nginx", "haproxy")
TYPE = "DOKKU_APP_PROXY_TYPE"
DISABLED = "DOKKU_DISABLE_PROXY"
PROPERTIES = {"type": TYPE, "proxy-port": ports.HTTP, "proxy-ssl-port": ports.HTTPS}


def type_(app: str) -> str:
    """The proxy of the app: nginx, or the name of another that a plugin brings."""
    own = config.get(app, TYPE) or properties.get("proxy", app, "type")
    return own or general_type()


def general_type() -> str:
    """The proxy of apps that chose none."""
    return properties.get("proxy", properties.GLOBAL, "type") or "nginx"


def is_ours(kind: str) -> bool:
    """Whether we are that proxy ourselves, and no plugin of its name does it instead."""
    instead = {plugin.name for plugin in triggers.plugins()} if kind == "haproxy" else set()
    return kind in OURS and not instead & {kind, f"{kind}-vhosts"}


def served_port(proxy: str, host_port: int) -> int:
    """Where visitors find what the port map has at a host port: haproxy has others for the usual ones."""
    if proxy != "haproxy" or not is_ours(proxy):
        return host_port
    usual = {ports.general(ports.HTTP, 80): "http-port", ports.general(ports.HTTPS, 443): "https-port"}
    key = {80: "http-port", 443: "https-port", **usual}.get(host_port, "")
    return haproxy_options.port(key) if key else host_port


def is_enabled(app: str) -> bool:
    """Whether a proxy brings traffic to the app."""
    return not config.get(app, DISABLED) and properties.get("proxy", app, "disabled") != "true"


def enable(app: str) -> None:
    """Bring traffic to the app again. Fires: proxy-enable."""
    if is_enabled(app):
        log.info1("Proxy is already enabled for app")
        _make_good(app)
        return
    log.info1("Enabling proxy for app")
    config_changes.unset(app, [DISABLED], restart=False)
    properties.delete("proxy", app, "disabled")
    triggers.fire("proxy-enable", app)


def disable(app: str) -> None:
    """Bring no traffic to the app any more. Fires: proxy-disable."""
    if not is_enabled(app):
        log.info1("Proxy is already disable for app")
        _make_good(app)
        return
    log.info1("Disabling proxy for app")
    config_changes.set_pairs(app, [f"{DISABLED}=1"], encoded=False, restart=False)
    triggers.fire("proxy-disable", app)


def _make_good(app: str) -> None:
    """Build what an interrupted call, or a restart that failed, left as it was before."""
    if owners.is_known(app) != is_enabled(app):
        triggers.fire("proxy-build-config", app)


def build_config(app: str) -> None:
    """Write the app's proxy configuration anew and put it in force. Fires: proxy-build-config."""
    triggers.fire("proxy-build-config", app)


def clear_config(app: str) -> None:
    """Take the app's proxy configuration away; of every app for `--all`. Fires: proxy-clear-config."""
    triggers.fire("proxy-clear-config", app)


def addressed(owner: str, words: Sequence[str] | None, is_global: bool) -> tuple[str, list[str]]:
    """Whom `proxy:set` is for, and the rest of its words: with --global the first word is one of them."""
    return (config.GLOBAL, [owner, *(words or [])]) if is_global else (owner, list(words or []))


def set_(owner: str, words: Sequence[str] | None) -> None:
    """Choose a proxy (`nginx`), or set a property (`proxy-port 8080`); without a value, unset it.

    owner: an app or --global. Takes effect when the configuration is built next; `disabled true` at once, as
    `disable` does.
    """
    if owner != config.GLOBAL:
        apps.verify_app_name(owner)
    key, value, *_surplus = [*(words or []), "", ""]
    if key == "disabled":
        _switch(owner, value)
    elif key in PROPERTIES:
        _set_property(owner, key, value)
    elif value:
        known = ", ".join(sorted(["disabled", *PROPERTIES]))
        raise DokkuError(f"Invalid property specified: {values.printable(key)}, valid properties: {known}")
    elif len(key) < 2:
        raise DokkuError("Please specify a proxy type")
    else:
        _choose(owner, key)


def rows(app: str) -> list[Row]:
    """What proxy:report knows of an app."""
    return [
        Row("--proxy-enabled", str(is_enabled(app)).lower()),
        Row("--proxy-port-map", " ".join(map(str, ports.listed(app)))),
        Row("--proxy-type", type_(app)),
        Row("--proxy-computed-type", type_(app), newer=True),
        Row("--proxy-disabled", str(not is_enabled(app)).lower(), newer=True),
        Row("--proxy-computed-disabled", str(not is_enabled(app)).lower(), newer=True),
        Row("--proxy-proxy-port", config.get(app, ports.HTTP), newer=True),
        Row("--proxy-proxy-ssl-port", config.get(app, ports.HTTPS), newer=True),
        Row("--proxy-computed-proxy-port", str(ports.http_port(app) or ""), newer=True),
        Row("--proxy-computed-proxy-ssl-port", str(ports.https_port(app) or ""), newer=True),
        *(row._replace(newer=True) for row in general_rows()),
    ]


def general_rows() -> list[Row]:
    """What proxy:report knows of the host as a whole."""
    return [
        Row("--proxy-global-type", general_type()),
        Row("--proxy-global-proxy-port", str(ports.general(ports.HTTP, 80))),
        Row("--proxy-global-proxy-ssl-port", str(ports.general(ports.HTTPS, 443))),
    ]


def _switch(app: str, value: str) -> None:
    if app == config.GLOBAL:
        raise DokkuError("The property disabled cannot be set globally")
    if value not in ("true", "false", ""):
        raise DokkuError(f"Invalid value for disabled, it must be true or false: {values.printable(value)}")
    if value == "true":
        disable(app)
    else:
        enable(app)


def _choose(owner: str, kind: str) -> None:
    _verify("type", kind)
    if owner == config.GLOBAL:
        properties.write("proxy", owner, "type", kind)
    else:
        config_changes.set_pairs(owner, [f"{TYPE}={kind}"], encoded=False, restart=False)


def _set_property(owner: str, key: str, value: str) -> None:
    if value:
        _verify(key, value)
        log.info2_quiet(f"Setting {key} to {value}")
    else:
        log.info2_quiet(f"Unsetting {key}")
    if key == "type" and owner == config.GLOBAL:
        properties.write("proxy", owner, key, value)
    elif value:
        config.set_values(owner, {PROPERTIES[key]: value})
    else:
        config.unset_values(owner, [PROPERTIES[key]])


def _verify(key: str, value: str) -> None:
    if key == "type" and ":" in value:
        hint = "Consider using ports:set command or specifying a valid proxy"
        raise DokkuError("Detected potential port mapping instead of proxy type", more=(hint,))
    if key == "type" and not values.is_identifier(value):
        raise DokkuError(f"Invalid proxy type: {values.printable(value)}")
    if key == "type" and value == "haproxy" and is_ours(value):
        haproxy.verify_installed()
    if key != "type" and not values.is_port(value):
        raise DokkuError(f"Invalid port: {values.printable(value)}")
