import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import DokkuError
from lib.proxy import template_names
from lib.tools import nginx_syntax

APPS = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,8}", fullmatch=True)
NAMES = st.from_regex(r"[A-Za-z0-9_]{1,8}", fullmatch=True)


def renamed(text: str, app: str = "web") -> str:
    tree = nginx_syntax.read(text)
    return nginx_syntax.write(template_names.renamed(tree, template_names.defined(tree, app)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "map $http_upgrade $up { default $x; } server { add_header A '$up ${up}x $upx $http_upgrade'; }",
            "map $http_upgrade $dokku_web__up {\n  default $x;\n}\nserver {\n"
            '  add_header A "$dokku_web__up ${dokku_web__up}x $upx $http_upgrade";\n}\n',
        ),
        ("map $a $b { $b $b; }", "map $a $dokku_web__b {\n  $b $dokku_web__b;\n}\n"),
        (
            "server { set $x 1; set $args $x; location ~ ^/(?<y>a)(?P<z>b)(?=c)$ { return 200 $y$z$1; } }",
            "server {\n  set $dokku_web__x 1;\n  set $args $dokku_web__x;\n"
            '  location ~ "^/(?<dokku_web__y>a)(?P<dokku_web__z>b)(?=c)$" {\n'
            "    return 200 $dokku_web__y$dokku_web__z$1;\n  }\n}\n".replace('"', ""),
        ),
        (
            "upstream up.x { server a; zone z 1m; } upstream web-5000 { server b; }"
            " server { location / { proxy_pass http://up.x/a; } location /b { grpc_pass grpc://web-5000; } }",
            "upstream web-upstream_up_x {\n  server a;\n  zone dokku_web__z 1m;\n}\n"
            "upstream web-5000 {\n  server b;\n}\n"
            "server {\n  location / {\n    proxy_pass http://web-upstream_up_x/a;\n  }\n"
            "  location /b {\n    grpc_pass grpc://web-5000;\n  }\n}\n",
        ),
        (
            "limit_req_zone $uri zone=z:1m rate=1r/s; server { limit_req zone=z burst=1; }",
            "limit_req_zone $uri zone=dokku_web__z:1m rate=1r/s;\nserver {\n  limit_req "
            "zone=dokku_web__z burst=1;\n}\n",
        ),
        (
            "limit_conn_zone $uri zone=z:1m; server { limit_conn z 1; ssl_session_cache shared:SSL:1m; }",
            "limit_conn_zone $uri zone=dokku_web__z:1m;\nserver {\n  limit_conn dokku_web__z 1;\n"
            "  ssl_session_cache shared:dokku_web__SSL:1m;\n}\n",
        ),
        (
            "proxy_cache_path /x keys_zone=c:1m; server { proxy_cache c; location / { proxy_cache off; } }",
            "proxy_cache_path /x keys_zone=dokku_web__c:1m;\nserver {\n  proxy_cache dokku_web__c;\n"
            "  location / {\n    proxy_cache off;\n  }\n}\n",
        ),
        (
            "log_format f '$uri'; server { access_log /x f; access_log /y combined; }",
            "log_format dokku_web__f $uri;\nserver {\n  access_log /x dokku_web__f;\n  "
            "access_log /y combined;\n}\n",
        ),
    ],
)
def test_what_a_template_defines_is_renamed_wherever_it_is_used(text: str, found: str) -> None:
    assert renamed(text) == found
    assert renamed(found) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "map $uri $http_connection { }",
            "$http_connection is a variable of nginx, define one with another name",
        ),
        ("geo $host { }", "$host is a variable of nginx"),
        ("split_clients a $arg_x { }", "$arg_x is a variable of nginx"),
        ("server { set $sent_http_x 1; }", "$sent_http_x is a variable of nginx"),
        ("server { auth_request_set $cookie_a 1; }", "$cookie_a is a variable of nginx"),
        ("server { location ~ (?<http_host>.*) { } }", "$http_host is a variable of nginx"),
        ("server { if ($uri ~ (?'uri'.*)) { } }", "$uri is a variable of nginx"),
        ("server { rewrite (?P<upstream_http_x>a) /; }", "$upstream_http_x is a variable of nginx"),
        ("map $uri $x { ~(?<request_uri>.) 1; }", "$request_uri is a variable of nginx"),
        ("server { proxy_redirect ~(?<scheme>.) /; }", "$scheme is a variable of nginx"),
        ("map $uri ${x} { }", "${x} is no variable"),
        ("map $uri x$y { }", "x$y is no variable"),
        (
            "server { location ~ (?<a>.)\\k<a> { } }",
            "a regular expression with named groups may not refer to",
        ),
        ("server { limit_req zone=others; }", "others is not defined in this template"),
        ("server { limit_conn others 1; }", "others is not defined in this template"),
        ("server { proxy_cache $x; }", "$x is not defined in this template"),
        ("upstream 'a b' { }", "an upstream has one name of letters"),
        ("upstream a b { }", "an upstream has one name of letters"),
    ],
)
def test_what_is_not_the_apps_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(DokkuError) as caught:
        renamed(f"\n{text}")
    assert caught.value.text.startswith("line 2: ")
    assert said in caught.value.text


@given(APPS, NAMES, APPS, NAMES)
def test_no_two_apps_have_the_same_name_for_anything(app: str, name: str, other: str, others: str) -> None:
    ours, theirs = template_names.own(app, name), template_names.own(other, others)
    assert re.fullmatch(r"dokku_\w+", ours, re.ASCII)
    assert ours != theirs or app == other
    if app != other:
        assert template_names.own_upstream(app, name) != template_names.own_upstream(other, others)


def test_an_upstream_that_is_renamed_is_no_name_of_a_host() -> None:
    assert template_names.own_upstream("localhost", "localhost") == "localhost-upstream_localhost"
    assert template_names.own_upstream("web", "web-5000") == "web-5000"
    assert template_names.own_upstream("web", "web-5000-1") == "web-upstream_web_5000_1"
    assert template_names.own_upstream("web-5000", "web-5000") == "web-5000-upstream_web_5000"
