import pytest

from lib.base.errors import DokkuError
from lib.proxy import template_rules
from lib.proxy.template_rules import Grounds
from lib.tools import nginx_syntax

GROUNDS = Grounds(
    "web",
    {"10.0.0.2:5000"},
    {"api.com:443", "10.1.1.1:81"},
    ["/var/log/nginx/web-access.log", "/var/log/nginx/web-error.log"],
    {"backend"},
)


def verify(text: str) -> None:
    template_rules.verify(nginx_syntax.read(text), GROUNDS)


ALLOWED = [
    "server { listen 80; location / { proxy_pass http://backend; } }",
    "server { location / { if ($a) { proxy_pass http://10.0.0.2:5000; } } }",
    "server { location / { proxy_pass https://api.com$request_uri; } }",
    "server { location / { proxy_pass http://10.1.1.1:81/$arg_x; } }",
    "server { location / { grpc_pass grpc://backend; } }",
    "server { location / { fastcgi_pass backend; include fastcgi_params; } }",
    "server { access_log off; error_log /var/log/nginx/web-error.log warn; }",
    "server { access_log /var/log/nginx/web-access.log combined buffer=32k if=$x; }",
    "upstream u { server 10.0.0.2:5000 weight=2 max_fails=3 fail_timeout=5s; keepalive 32; zone u 64k; }",
    "map $a $b { include_me 1; }",
    "types { text/x x; }".join(("server { ", " }")),
    "proxy_cache_path /anywhere levels=1:2 keys_zone=c:10m max_size=1g inactive=60m use_temp_path=off;",
    "limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s;",
    "server { proxy_buffers 8 16k; client_max_body_size 0; large_client_header_buffers 4 32k; }",
    "server { if ($request_method = POST) { return 405; } }",
]
REFUSED = [
    ("error_log /x;", "it is not among what a template may use outside of a server"),
    ("deny all;", "it is not among what a template may use outside of a server"),
    ("include /etc/nginx/mime.types;", "outside of a server"),
    ("client_max_body_size 1k;", "outside of a server"),
    ("resolver 10.1.1.1;", "outside of a server"),
    ("lua_package_path x;", "outside of a server"),
    ("upstream u { resolver 1.1.1.1; }", "in upstream"),
    ("server { resolver 1.1.1.1; }", "it is not among what a template may use in server"),
    ("server { location / { client_body_temp_path /tmp/x; } }", "in location"),
    ("server { proxy_store /etc/x; }", "in server"),
    ("server { proxy_bind 10.1.1.1; }", "in server"),
    ("server { ssl_conf_command Options x; }", "in server"),
    ("server { ssl_password_file /x; }", "in server"),
    ("server { content_by_lua_file /x; }", "in server"),
    ("server { perl x; }", "in server"),
    ("server { dav_methods PUT; }", "in server"),
    ("server { ssi on; }", "in server"),
    ("server { stub_status; }", "in server"),
    ("server { js_content x; }", "in server"),
    ("server { disable_symlinks off; }", "in server"),
    ("server { memcached_pass 127.0.0.1:11211; }", "in server"),
    ("server { autoindex { } }", "it has no block"),
    ("server { access_log /etc/cron.d/x; }", "the app's logs are /var/log/nginx/web-access.log and"),
    ("server { access_log /var/log/nginx/web-2-access.log; }", "the app's logs are"),
    ("server { access_log syslog:server=unix:/run/x; }", "the app's logs are"),
    ("server { access_log /var/log/nginx/$host.log; }", "the app's logs are"),
    ("server { access_log; }", "the app's logs are"),
    (
        "server { location / { proxy_pass http://127.0.0.1:2375; } }",
        "127.0.0.1:2375 is no listener of the app",
    ),
    ("server { location / { proxy_pass http://10.0.0.2:22; } }", "10.0.0.2:22 is no listener of the app"),
    ("server { location / { proxy_pass http://unix:/run/docker.sock; } }", "no socket of the host"),
    ("server { location / { proxy_pass http://backend:81; } }", "backend:81 is no listener of the app"),
    ("server { location / { proxy_pass http://backend@x; } }", "is no listener of the app"),
    (
        "server { location / { proxy_pass http://backend$x; } }",
        "a variable may choose the path, not the host",
    ),
    (
        "server { location / { proxy_pass http://backend$uri; } }",
        "a variable may choose the path, not the host",
    ),
    ("server { location / { proxy_pass http://$host; } }", "it leads to an upstream of the template"),
    ("server { location / { proxy_pass $x; } }", "it leads to an upstream of the template"),
    (
        "server { location / { proxy_pass http://api.com; } }",
        "api.com:80 is no listener of the app and no upstream",
    ),
    (
        "server { fastcgi_pass unix:/run/php.sock; }",
        "a template leads to no socket of the host",
    ),
    ("upstream u { server 127.0.0.1:6379; }", "127.0.0.1:6379 is no listener of the app"),
    ("upstream u { server unix:/run/x; }", "no socket of the host"),
    ("upstream u { server 10.0.0.2:5000 resolve; }", "resolve is not for templates"),
    ("upstream u { server 10.0.0.2:5000 weight=100000000; }", "is not for templates"),
    ("upstream u { server 10.0.0.2:5000; keepalive 2000000000; }", "16384 is the most"),
    ("upstream u { server 10.0.0.2:5000; zone u 4g; }", "the size of a zone is between"),
    ("limit_req_zone $uri zone=x:64g rate=1r/s;", "the size of a zone is between"),
    ("proxy_cache_path /x keys_zone=c:1m purger=on;", "purger=on is not for templates"),
    ("proxy_cache_path /x;", "the size of a zone is between"),
    ("server { proxy_buffers 1000000 1g; }", "no buffers are larger than 16m"),
    ("server { client_body_buffer_size 9g; }", "no buffers are larger than 16m"),
    ("map $a $b { include /etc/shadow; }", "only values stand in map"),
    ("geo $b { include /etc/shadow; }", "only values stand in geo"),
    ("server { types { include /etc/shadow; } }", "only values stand in types"),
    ("map $a $b { x { } }", "only values stand in map"),
    ("server { include /etc/shadow; }", "a template includes files of"),
    ("server { ssl_certificate_key /root/key; }", "certificates and keys are those of the app"),
    ("server { proxy_ssl_trusted_certificate /root/key; }", "certificates and keys are those of the app"),
    ("server { auth_basic_user_file /etc/passwd; }", "passwords are in"),
    ("server { if (-f /etc/passwd) { return 200; } }", "it may only look at"),
]


@pytest.mark.parametrize("text", ALLOWED)
def test_what_templates_do_every_day_is_allowed(text: str) -> None:
    verify(text)


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_reaches_beyond_the_app_is_refused_with_line_and_reason(text: str, said: str) -> None:
    with pytest.raises(DokkuError) as caught:
        verify(f"\n\n{text}")
    assert caught.value.text.startswith("line 3: ")
    assert " is not allowed: " in caught.value.text
    assert said in caught.value.text
