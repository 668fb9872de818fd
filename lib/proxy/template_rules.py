"""What an app's own template may say: directives by context, and the words each of them may have.

The list holds what the templates of public apps use. Whatever nginx would do as root or for everybody is not
on it: it opens logs, sockets, keys and stores before it serves anything, and all apps are one configuration.
"""

import math
import re
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from lib.base import values
from lib.proxy import template_files
from lib.proxy.template_names import ADDRESS, CACHES, DATA, PASSES, refusal
from lib.tools.nginx_syntax import Directive


class Grounds(NamedTuple):
    """What a template is judged by. listeners, allowed: host:port; logs: its files, each with its path."""

    app: str
    listeners: Collection[str]
    allowed: Collection[str]
    logs: Collection[str]
    upstreams: Collection[str]


_ZONE_LIMIT, _BUFFER_LIMIT = 128 << 20, 16 << 20
_COUNTS, _COUNT_LIMIT = (
    ("keepalive", "_hash_max_size", "_hash_bucket_size"),
    16384,
)  # nginx makes room for all
_TOP = {
    "server",
    "upstream",
    "map",
    "geo",
    "split_clients",
    "limit_req_zone",
    "limit_conn_zone",
    "log_format",
}
_TOP |= {f"{name}_path" for name in CACHES}
_BLOCKS = {"server", "upstream", "location", "if", "limit_except", *DATA}
_IN_UPSTREAM = """
    hash ip_hash keepalive keepalive_requests keepalive_time keepalive_timeout least_conn random server
    zone
"""
_IN_SERVER = """
    absolute_redirect access_log add_header add_trailer alias allow auth_basic auth_basic_user_file
    auth_request auth_request_set autoindex autoindex_exact_size autoindex_format autoindex_localtime
    break brotli brotli_comp_level brotli_min_length brotli_static brotli_types charset charset_types
    chunked_transfer_encoding client_body_buffer_size client_body_timeout client_header_buffer_size
    client_header_timeout client_max_body_size default_type deny directio empty_gif error_log error_page
    etag expires fastcgi_index fastcgi_param fastcgi_split_path_info grpc_set_header gunzip
    gunzip_buffers gzip gzip_buffers gzip_comp_level gzip_disable gzip_http_version gzip_min_length
    gzip_proxied gzip_static gzip_types gzip_vary http2 http2_max_concurrent_streams http2_push
    http2_push_preload if if_modified_since ignore_invalid_headers include index internal
    keepalive_disable keepalive_requests keepalive_time keepalive_timeout large_client_header_buffers
    limit_conn limit_conn_dry_run limit_conn_log_level limit_conn_status limit_except limit_rate
    limit_rate_after limit_req limit_req_dry_run limit_req_log_level limit_req_status lingering_close
    lingering_time lingering_timeout listen location log_not_found log_subrequest max_ranges
    merge_slashes mirror mirror_request_body more_clear_headers more_clear_input_headers
    more_set_headers more_set_input_headers msie_padding output_buffers port_in_redirect
    proxy_cookie_domain proxy_cookie_flags proxy_cookie_path proxy_headers_hash_bucket_size
    proxy_headers_hash_max_size proxy_http_version proxy_method proxy_redirect proxy_set_body
    proxy_set_header real_ip_header real_ip_recursive recursive_error_pages reset_timedout_connection
    return rewrite rewrite_log root satisfy scgi_param secure_link secure_link_md5 secure_link_secret
    send_timeout sendfile server_name server_name_in_redirect server_tokens set set_real_ip_from slice
    source_charset ssl ssl_buffer_size ssl_certificate ssl_certificate_key ssl_ciphers
    ssl_client_certificate ssl_crl ssl_dhparam ssl_early_data ssl_ecdh_curve ssl_prefer_server_ciphers
    ssl_protocols ssl_session_cache ssl_session_tickets ssl_session_timeout ssl_stapling
    ssl_stapling_verify ssl_trusted_certificate ssl_verify_client ssl_verify_depth
    sub_filter sub_filter_last_modified sub_filter_once sub_filter_types tcp_nodelay tcp_nopush
    try_files types underscores_in_headers uninitialized_variable_warn uwsgi_param valid_referers
"""
_OF_A_PASS = """
    buffer_size buffering buffers busy_buffers_size cache cache_background_update cache_bypass
    cache_convert_head cache_key cache_lock cache_lock_age cache_lock_timeout cache_max_range_offset
    cache_methods cache_min_uses cache_revalidate cache_use_stale cache_valid connect_timeout
    force_ranges hide_header ignore_client_abort ignore_headers intercept_errors keep_conn limit_rate
    max_temp_file_size modifier1 modifier2 next_upstream next_upstream_timeout next_upstream_tries
    no_cache pass pass_header pass_request_body pass_request_headers read_timeout request_buffering
    send_lowat send_timeout socket_keepalive ssl_ciphers ssl_name ssl_protocols ssl_server_name
    ssl_session_reuse ssl_trusted_certificate ssl_verify ssl_verify_depth temp_file_write_size
"""
_UPSTREAM = {*_IN_UPSTREAM.split()}
_SERVER = {*_IN_SERVER.split()}  # and in what stands in a server
_SERVER |= {f"{one.removesuffix('_pass')}_{word}" for one in PASSES for word in _OF_A_PASS.split()}
_CERTIFICATES = re.compile(r"(?:\w+_)?ssl_(?:certificate(?:_key)?|\w+_certificate|crl|dhparam)")
_SIZE = re.compile(r"([0-9]{1,15})([kKmMgG]?)")
_FACTORS = {"": 0, "k": 10, "m": 20, "g": 30}
_ZONE = re.compile(r"(?:zone=|keys_zone=|shared:)[^:]*:([^:]*)")
_OF_A_SERVER = re.compile(
    r"weight=[0-9]{1,3}|(?:max_conns|max_fails|fail_timeout|slow_start)=[0-9]{1,6}\w{0,2}|backup|down",
    re.ASCII,
)
_OF_A_LOG = re.compile(r"(?:if|buffer|flush|gzip)=\S*|gzip|[A-Za-z_]\w*", re.ASCII)
_OF_A_CACHE = re.compile(
    r"(?:levels|inactive|max_size|min_free|manager_\w+|loader_\w+)=[\w:]+|use_temp_path=off|keys_zone=\S+",
    re.ASCII,
)
_NO_FILES = ("/dev/null", "/dev/stdout", "/dev/stderr", "stderr", "off")
_PORTS = {"http": "80", "https": "443", "grpc": "80", "grpcs": "443"}
_AFTER_A_PLACE = re.compile(r"(?:/|\?|\$request_uri$|\$is_args\$args$).*|", re.DOTALL)


def verify(tree: Sequence[Directive], grounds: Grounds) -> None:
    """Raises: DokkuError that begins with the line, for what is not on the list."""
    for one in tree:
        _verify(one, "", grounds)


def _verify(one: Directive, around: str, grounds: Grounds) -> None:
    known = {"": _TOP, "upstream": _UPSTREAM}.get(around, _SERVER)
    if one.name not in known:
        where = f"in {around}" if around else "outside of a server"
        raise refusal(one, f"it is not among what a template may use {where}")
    if one.block is not None and one.name not in _BLOCKS:
        raise refusal(one, "it has no block")
    reason = (
        _CHECKS.get(one.name, _plain)(one, grounds) if around != "upstream" else _in_upstream(one, grounds)
    )
    if reason:
        raise refusal(one, reason)
    if one.name in DATA:
        for entry in one.inside:
            if entry.block is not None or entry.name == "include":
                raise refusal(entry, f"only values stand in {one.name}")
    else:
        for inner in one.inside:
            _verify(inner, one.name, grounds)


def _plain(one: Directive, grounds: Grounds) -> str:
    """Why an ordinary directive may not stand; what differs between them is how much memory they take."""
    if _CERTIFICATES.fullmatch(one.name):
        return template_files.certificate_problem(grounds.app, _only(one))
    if "buffer" in one.name and math.prod(filter(None, map(_size, one.arguments))) > _BUFFER_LIMIT:
        return "no buffers are larger than 16m"
    if one.name.endswith(_COUNTS) and max(map(_size, one.arguments), default=0) > _COUNT_LIMIT:
        return f"{_COUNT_LIMIT} is the most"
    return ""


def _pass(one: Directive, grounds: Grounds) -> str:
    found = ADDRESS.fullmatch(_only(one))
    if found is None:
        return "it leads to an upstream of the template"
    place, scheme = found["place"], found["scheme"] or ""
    if not _AFTER_A_PLACE.fullmatch(found["rest"]):
        return "a variable may choose the path, not the host: begin the path with a slash"
    if place in grounds.upstreams:
        return ""
    return _address_problem(place, grounds, _PORTS.get(scheme, ""))


def _in_upstream(one: Directive, grounds: Grounds) -> str:
    if one.name == "zone":
        return _zone_problem(one.arguments[1:])
    if one.name != "server":
        return _plain(one, grounds)
    surplus = [word for word in one.arguments[1:] if not _OF_A_SERVER.fullmatch(word)]
    return (
        f"{surplus[0]} is not for templates"
        if surplus
        else _address_problem("".join(one.words[1:2]), grounds)
    )


def _address_problem(place: str, grounds: Grounds, port: str = "80") -> str:
    """Why a template may not lead to an address; empty when it may."""
    if place.lower().startswith("unix:"):
        return "a template leads to no socket of the host"
    full = place if re.search(r":[0-9]+$", place) else f"{place}:{port}"
    if {place, full} & {*grounds.listeners, *grounds.allowed}:
        return ""
    shown = values.printable(full[:100])
    return (
        f"{shown} is no listener of the app and no upstream of the template; "
        f"an operator allows it with: dokku nginx:set {grounds.app} allowed-upstreams {shown}"
    )


def _log(one: Directive, grounds: Grounds) -> str:
    path = one.words[1] if len(one.words) > 1 else ""
    if path not in (*_NO_FILES, *grounds.logs):
        return f"the app's logs are {' and '.join(sorted(grounds.logs)[:2])}"
    surplus = [word for word in one.arguments[1:] if not _OF_A_LOG.fullmatch(word)]
    return f"{surplus[0]} is not for templates" if surplus else ""


def _cache(one: Directive, _grounds: Grounds) -> str:
    surplus = [word for word in one.arguments[1:] if not _OF_A_CACHE.fullmatch(word)]
    zones = [word for word in one.arguments if word.startswith("keys_zone=")]
    return f"{surplus[0]} is not for templates" if surplus else _zone_problem(zones or [""])


def _zone(one: Directive, _grounds: Grounds) -> str:
    return _zone_problem([word for word in one.arguments if ":" in word])


def _zone_problem(words: Sequence[str]) -> str:
    for word in words:
        found = _ZONE.fullmatch(word)
        if not 0 < _size(found[1] if found else word) <= _ZONE_LIMIT:
            return "the size of a zone is between 32k and 128m"
    return ""


def _condition(one: Directive, grounds: Grounds) -> str:
    return template_files.test_problem(grounds.app, one.arguments)


def _include(one: Directive, grounds: Grounds) -> str:
    return template_files.include_problem(grounds.app, _only(one))


def _passwords(one: Directive, grounds: Grounds) -> str:
    path = _only(one)
    return "" if path == "off" else template_files.password_problem(grounds.app, path)


def _rate_zone(one: Directive, _grounds: Grounds) -> str:
    return _zone_problem([word for word in one.arguments if word.startswith("zone=")] or [""])


def _only(one: Directive) -> str:
    return one.words[1] if len(one.words) == 2 else ""


def _size(word: str) -> int:
    found = _SIZE.fullmatch(word)
    return int(found[1]) << _FACTORS[found[2].lower()] if found else 0


_CHECKS: dict[str, Callable[[Directive, Grounds], str]] = {
    **dict.fromkeys(PASSES, _pass),
    **dict.fromkeys((f"{name}_path" for name in CACHES), _cache),
    **dict.fromkeys(("access_log", "error_log"), _log),
    **dict.fromkeys(("limit_req_zone", "limit_conn_zone"), _rate_zone),
    "auth_basic_user_file": _passwords,
    "if": _condition,
    "include": _include,
    "ssl_session_cache": _zone,
}
