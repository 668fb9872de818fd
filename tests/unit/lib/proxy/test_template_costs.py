"""What a template may cost: copies of values, zones, steps of regular expressions."""

import pytest

from lib.base.errors import DokkuError
from lib.proxy import template_costs
from lib.tools import nginx_syntax

BODY = "server { location /x { %s } }"


def judged(text: str) -> str:
    tree = nginx_syntax.read(text)
    template_costs.verify(tree)
    return nginx_syntax.write(template_costs.limited(tree))


@pytest.mark.parametrize(
    "body",
    [
        'set $flag 1; set $flag "${flag}2"; if ($flag = 12) { return 403; }',
        'set $a $host; set $b "$a$a"; set $c "$b$b"; return 200 "$c$c";',
        "rewrite ^/(.*)/(.*)$ /$2/$1 last;",
        "rewrite ^((.*))$ https://$host/$2/$1?$args&$args permanent;",
        "rewrite ^/a/(.*)$ /index.php?q=$1 last;" * 50 + "fastcgi_param Q $query_string;",
        "try_files $uri $uri/ /index.php?q=$uri&$args;",
        "error_page 404 /index.php?$args;",
        'if ($uri ~ "^(.)(.)") { set $v "$1$2"; } if ($v ~ "^(a)") { return 200; }',
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" * 200,
    ],
)
def test_what_people_write_is_taken(body: str) -> None:
    assert judged(BODY % body)


@pytest.mark.parametrize(
    "body",
    [
        'set $a "$a$A";',
        'set $a "$b$b"; set $b "$a";',
        'set $args "$args$query_string";',
        "rewrite ^(.*)$ $1$1 last;",
        "rewrite ^((.*))$ /$2/$1 last;",
        "rewrite ^(?=(.*))(.*)$ $1$2 last;",
        "rewrite ^ $uri$document_uri last;",
        "rewrite ^ /x?$args&$args last;",
        "rewrite ^ /$args?$uri;",
        "try_files /n /$uri$uri;",
        'if ($v ~ "^(.)(.)") { set $v "$1$1"; }',
        'if ($v ~ "^(?<all>.*)") { set $v "$all$all"; }',
    ],
)
def test_what_doubles_is_refused(body: str) -> None:
    with pytest.raises(DokkuError, match="a variable may not be made of more than one copy of itself"):
        judged(BODY % body)


@pytest.mark.parametrize(
    "text",
    [
        BODY % f'return 200 "{"$host" * 300}";',
        BODY % ('add_header a "$request_uri$host$scheme";' * 400),
        BODY % "".join(f'set $b{n} "$b{n - 1}$b{n - 1}";' for n in range(1, 12)),
        "".join(f'map $host $m{n} {{ default "$m{n - 1}$m{n - 1}"; }} ' for n in range(1, 12)),
        BODY % ('proxy_set_header X "$request_body$request_body";' * 40),
    ],
)
def test_too_many_copies_are_refused(text: str) -> None:
    with pytest.raises(DokkuError, match="values of a request are copied too often"):
        judged(text)


def test_zones_have_one_limit_for_all_of_them() -> None:
    zone = "limit_req_zone $uri zone=z%s:100m rate=1r/s;"
    assert judged(zone % 1 + zone % 2)
    with pytest.raises(DokkuError, match=r"zone=z3:100m .* all zones together have at most 256m"):
        judged(zone % 1 + zone % 2 + zone % 3)
    assert judged("server { ssl_session_cache shared:SSL:100m; }" * 9)
    with pytest.raises(DokkuError, match="all zones together"):
        judged("upstream a { zone a 128m; } upstream b { zone b 128m; } proxy_cache_path c keys_zone=c:1m;")


def test_every_regular_expression_has_a_limit() -> None:
    text = """map $a $b { default 1; ~*^/x(a+)+$ 2; x 3; }
        server {
          location ~* ^/a$ { gzip_disable msie6 "a b"; }
          location ~^/b { if ($a !~* "^(b+)") { return 403; } if ($a = x) { return 403; } }
          location /c { rewrite ^/c /d; proxy_redirect ~^/x /y; proxy_redirect http://a /; }
        }"""
    limit = "(*LIMIT_MATCH=285714)"
    written = judged(text)
    assert written.count(limit) == 7
    for begin in ("~*", "location ~* ", "location ~", "!~* ", "rewrite ", "proxy_redirect ~", 'msie6 "'):
        assert f"{begin}{limit}" in written
    assert "LIMIT" not in judged(BODY % "return 204;")


def test_a_regular_expression_does_not_bring_a_limit_of_its_own() -> None:
    for text in ('map $a $b { "~(*UTF8)(*LIMIT_MATCH=9)a" 1; }', BODY % 'rewrite "(*LIMIT_DEPTH=9)a" /b;'):
        with pytest.raises(DokkuError, match="are limited already"):
            judged(text)


def test_so_many_regular_expressions_are_too_many() -> None:
    with pytest.raises(DokkuError, match="2000 regular expressions are the most"):
        judged("map $uri $b { " + "~a 1; " * 2001 + "}")
