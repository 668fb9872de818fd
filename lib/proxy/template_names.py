"""The names that an app's own template defines, made the app's own.

nginx has one set of variables, upstreams, zones and log formats for all apps. What a template defines is
renamed in all of it to a name that no other app, host or built-in variable can have; an upstream APP-PORT
keeps its name. What it does not define it may not use, where that would be another app's.
"""

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lib.base import values
from lib.base.errors import DokkuError
from lib.tools import nginx_syntax
from lib.tools.nginx_syntax import Directive

DATA = ("map", "geo", "split_clients", "types")  # blocks whose entries are no directives
PASSES = ("proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass")
CACHES = ("proxy_cache", "fastcgi_cache", "uwsgi_cache", "scgi_cache")

PREFIX = "dokku_"  # of all names that we give
_ASSIGNED = ("args", "limit_rate")  # what `set` gives a request, and nobody else
_BUILT_INS = """
    ancient_browser args binary_remote_addr body_bytes_sent bytes_sent connection connection_requests
    connection_time connections_active connections_reading connections_waiting connections_writing
    content_length content_type date_gmt date_local document_root document_uri fastcgi_path_info
    fastcgi_script_name gzip_ratio host hostname http2 https invalid_referer is_args limit_conn_status
    limit_rate limit_req_status memcached_key modern_browser msec msie nginx_version pid pipe
    proxy_add_x_forwarded_for proxy_host proxy_internal_body_length proxy_internal_chunked proxy_port
    proxy_protocol_addr proxy_protocol_port proxy_protocol_server_addr proxy_protocol_server_port
    query_string realip_remote_addr realip_remote_port realpath_root remote_addr remote_port remote_user
    request request_body request_body_file request_completion request_filename request_id request_length
    request_method request_time request_uri scheme secure_link secure_link_expires server_addr
    server_name server_port server_protocol slice_range status tcpinfo_rcv_space tcpinfo_rtt
    tcpinfo_rttvar tcpinfo_snd_cwnd time_iso8601 time_local uid_got uid_reset uid_set upstream_addr
    upstream_bytes_received upstream_bytes_sent upstream_cache_last_modified upstream_cache_status
    upstream_connect_time upstream_header_time upstream_response_length upstream_response_time
    upstream_status uri
"""
_BUILT_IN = frozenset(_BUILT_INS.split())
_BUILT_IN_KIND = re.compile(
    r"[0-9]+|(?:arg|cookie|http|sent_http|sent_trailer|ssl|upstream_(?:http|cookie|trailer))_\w*", re.ASCII
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
_DEFINED = re.compile(r"\$\w+", re.ASCII)
_GROUP = re.compile(r"(?<=\?)(P?<|')(\w+)(?=[>'])", re.ASCII)
_NAMES_GROUP = re.compile(r"\\[gk]|\?P[=>]|\?&|\?\([<'R]|\\Q|\(\?[a-zA-Z]*[xJ]")
_REGEX = ("location", "if", "rewrite", "server_name", "valid_referers", "fastcgi_split_path_info", "map")
_REGEX_IN_PROXY = re.compile(r"\w+_(?:redirect|cookie_domain|cookie_path|cookie_flags)")
ZONE = re.compile(r"(?P<key>zone=|keys_zone=|shared:)(?P<name>[\w.-]+)(?P<size>:.*)?", re.ASCII)
_UPSTREAM = re.compile(r"[\w.-]+", re.ASCII)
ADDRESS = re.compile(
    r"(?:(?P<scheme>[A-Za-z]+)://|(?![A-Za-z]+://))(?P<place>[^/?$\s]+)(?P<rest>.*)", re.ASCII | re.DOTALL
)


class Names(NamedTuple):
    """What a template defines, each name with the one it gets."""

    variables: Mapping[str, str]
    zones: Mapping[str, str]
    formats: Mapping[str, str]
    upstreams: Mapping[str, str]


def own(app: str, name: str) -> str:
    """The app's own name for a variable, zone or format: no two apps have the same."""
    prefix = f"{PREFIX}{re.sub('[^a-z0-9]', lambda found: f'_{ord(found[0]):02x}', app)}__"
    return name if name.startswith(prefix) else prefix + name


def own_upstream(app: str, name: str) -> str:
    """The same for an upstream. With its `_` it is no name of a host that others may lead to."""
    if re.fullmatch(rf"{re.escape(app)}-(?:[0-9]+|upstream_\w+)", name, re.ASCII):
        return name
    return f"{app}-upstream_{re.sub('[^A-Za-z0-9]', '_', name)}"


def defined(tree: Sequence[Directive], app: str) -> Names:
    """What the template defines. Raises: DokkuError for a name that can't be its own."""
    variables = {name: own(app, name) for one, name in _variables(tree) if _verify(one, name)}
    zones = {name: own(app, name) for one in nginx_syntax.walk(tree) for name in _zones(one)}
    formats = {one.words[1]: own(app, one.words[1]) for one in tree if one.words[:1] == ("log_format",)}
    for one in nginx_syntax.walk(tree):
        _verify_uses(one, app)
    upstreams = {}
    for one in tree:
        if one.name == "upstream":
            if len(one.words) != 2 or not _UPSTREAM.fullmatch(one.words[1]):
                raise refusal(one, "an upstream has one name of letters, digits, . _ and -")
            upstreams[one.words[1]] = own_upstream(app, one.words[1])
    return Names(variables, zones, formats, upstreams)


def renamed(tree: Sequence[Directive], names: Names) -> tuple[Directive, ...]:
    """The tree with these names in all places. Raises: DokkuError for the use of another's zone."""
    return tuple(_renamed(one, names) for one in tree)


def refusal(one: Directive, reason: str) -> DokkuError:
    """line N: DIRECTIVE is not allowed: reason"""
    shown = values.printable(" ".join(one.words)[:120])
    return DokkuError(f"line {one.line}: {shown} is not allowed: {reason}")


def _variables(tree: Sequence[Directive]) -> Iterator[tuple[Directive, str]]:
    """The variables that are defined, each with the directive that does it."""
    for one in nginx_syntax.walk(tree):
        if one.name in ("map", "geo", "split_clients") and one.block is not None:
            yield one, _dollar(one, one.words[-1])
        elif one.name in ("set", "auth_request_set") and len(one.words) > 1:
            yield one, _dollar(one, one.words[1])
        for word in _regexes(one):
            if _NAMES_GROUP.search(word) and _GROUP.search(word):
                raise refusal(one, "a regular expression with named groups may not refer to them")
            for found in _GROUP.finditer(word):
                yield one, found[2]


def _dollar(one: Directive, word: str) -> str:
    if not _DEFINED.fullmatch(word):
        raise refusal(one, f"{values.printable(word[:60])} is no variable")
    return word[1:]


def _verify_uses(one: Directive, app: str) -> None:
    """Raises: DokkuError for the use of what another app's template defines. nginx minds no letter case."""
    for found in (found for word in one.words for found in _VARIABLE.finditer(word)):
        name = (found[1] or found[2]).lower()
        if name.startswith(PREFIX) and own(app, name) != name:
            raise refusal(one, f"${name} is a variable of another app")


def _verify(one: Directive, name: str) -> bool:
    """Whether a variable is to be renamed. Raises: DokkuError for one that nginx has itself."""
    if one.name == "set" and name in _ASSIGNED:
        return False
    if name in _BUILT_IN or _BUILT_IN_KIND.fullmatch(name):
        raise refusal(one, f"${name} is a variable of nginx, define one with another name")
    return True


def _regexes(one: Directive) -> list[str]:
    """The words of a directive that may be regular expressions."""
    entries = [entry.words[0] for entry in one.inside] if one.name == "map" else []
    is_regex = one.name in _REGEX or _REGEX_IN_PROXY.fullmatch(one.name)
    return [*(one.arguments if is_regex else ()), *entries]


def _zones(one: Directive) -> Iterator[str]:
    if one.name in ("limit_req_zone", "limit_conn_zone", "ssl_session_cache") or one.name.endswith(
        "_cache_path"
    ):
        yield from (found["name"] for word in one.arguments if (found := ZONE.fullmatch(word)))
    elif one.name == "upstream":
        yield from (inner.words[1] for inner in one.inside if inner.name == "zone" and len(inner.words) > 1)


def _renamed(one: Directive, names: Names) -> Directive:
    words = [_in_regex(word, names) if word in _regexes(one) else word for word in one.words]
    words = [one.name, *(_in_word(word, names) for word in words[1:])]
    if one.name in _RENAMERS:
        words = _RENAMERS[one.name](one, words, names)
    if one.block is None:
        return one._replace(words=tuple(words))
    if one.name not in DATA:
        return one._replace(words=tuple(words), block=renamed(one.block, names))
    return one._replace(words=tuple(words), block=tuple(_entry(entry, names) for entry in one.block))


def _entry(entry: Directive, names: Names) -> Directive:
    """One of a map: its key is no text with variables, but may be a regular expression."""
    rest = (_in_word(word, names) for word in entry.arguments)
    return entry._replace(words=(_in_regex(entry.words[0], names), *rest))


def _in_regex(word: str, names: Names) -> str:
    return _GROUP.sub(lambda found: found[1] + names.variables.get(found[2], found[2]), word)


def _in_word(word: str, names: Names) -> str:
    def new(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return found[0].replace(name, names.variables.get(name, name))

    return _VARIABLE.sub(new, word) if "$" in word else word


def _definition(one: Directive, words: list[str], names: Names) -> list[str]:
    at = 1 if one.name in ("set", "auth_request_set") else len(words) - 1
    name = one.words[at][1:]
    words[at] = f"${names.variables.get(name, name)}"
    return words


def _zone(one: Directive, words: list[str], names: Names) -> list[str]:
    for at, word in enumerate(words[1:], 1):
        if found := ZONE.fullmatch(word):
            words[at] = f"{found['key']}{_known(one, found['name'], names.zones)}{found['size'] or ''}"
    return words


def _first(one: Directive, words: list[str], names: Names) -> list[str]:
    """A zone that is the first word: of limit_conn, a cache or an upstream."""
    if len(words) > 1 and not (one.name in CACHES and words[1] == "off"):
        words[1] = _known(one, words[1], names.zones)
    return words


def _known(one: Directive, name: str, known: Mapping[str, str]) -> str:
    if name not in known:
        raise refusal(one, f"{values.printable(name[:60])} is not defined in this template")
    return known[name]


def _format(_one: Directive, words: list[str], names: Names) -> list[str]:
    """In log_format the first word, in access_log the second."""
    at = 1 if words[0] == "log_format" else 2
    return [*words[:at], *(names.formats.get(word, word) for word in words[at : at + 1]), *words[at + 1 :]]


def _upstream(_one: Directive, words: list[str], names: Names) -> list[str]:
    """The name of an upstream, by itself or in an address."""
    for at, word in enumerate(words[1:2], 1):
        found = ADDRESS.match(word)
        name = found["place"] if found else ""
        if found and name in names.upstreams:
            start = found.start("place")
            words[at] = word[:start] + names.upstreams[name] + word[start + len(name) :]
    return words


_Renamer = Callable[[Directive, list[str], Names], list[str]]


@functools.cache
def _renamers() -> dict[str, _Renamer]:
    found: dict[str, _Renamer] = dict.fromkeys((*PASSES, "upstream"), _upstream)
    found |= dict.fromkeys(("map", "geo", "split_clients", "set", "auth_request_set"), _definition)
    found |= dict.fromkeys(("limit_req_zone", "limit_conn_zone", "limit_req", "ssl_session_cache"), _zone)
    found |= {name + "_path": _zone for name in CACHES}
    found |= dict.fromkeys(("limit_conn", "zone", *CACHES), _first)
    return found | dict.fromkeys(("log_format", "access_log"), _format)


_RENAMERS = _renamers()
