import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import settings
from lib.base.errors import DokkuError
from lib.proxy import nginx_directives

HARMLESS = [
    "access_log off;",
    "access_log /var/log/nginx/web-access.log json if=$loggable;",
    "access_log /var/log/nginx/$host.log;",
    'error_log "/var/log/nginx/web-error.log" warn;',
    "error_log stderr;",
    "access_log syslog:server=10.0.0.1;",
    "proxy_cache_path /var/cache/nginx levels=1:2 keys_zone=a:10m;",
    "proxy_temp_path /tmp/nginx/proxy;",
    "include mime.types;",
    "include /etc/nginx/fastcgi_params;",
    "include /etc/letsencrypt/options-ssl-nginx.conf;",
    "  # we don't access_log /etc/x here".replace("'", ""),
    "proxy_include x; my_access_log /etc/x;",
    "content_by_lua_block { ngx.say('x') }",
    'add_header X "includeSubDomains";',
    "listen [::]:443 ssl http2; listen *:80; listen localhost:8080;",
    "ssl_certificate_key /etc/letsencrypt/live/a.com/privkey.pem;",
    "types { application/x-perl pl pm; }",
]
HARMFUL = [
    ("\n  error_log /etc/cron.d/x;", "line 2: error_log /etc/cron.d/x is not allowed"),
    ("access_log /var/log/nginx/../../etc/x;", "access_log /var/log/nginx/../../etc/x is not allowed"),
    ("access_log /var/log/nginxx/a;", "access_log /var/log/nginxx/a is not allowed"),
    ('access_log "/etc/x";', "access_log /etc/x is not allowed"),
    ("'access_log' /etc/x;", "access_log /etc/x is not allowed"),
    ("access_log\n\t/etc/x;", "access_log /etc/x is not allowed"),
    ("access_log # \n/etc/x;", "access_log # is not allowed"),
    ("a 'b\n# '; access_log /etc/x;", "access_log /etc/x is not allowed"),
    ("content_by_lua_block { \n# } access_log /etc/x;", "access_log /etc/x is not allowed"),
    ("access_log /var/log/nginx/a\\b;", "access_log /var/log/nginx/a\\b is not allowed"),
    ("proxy_cache_path /etc levels=1:2;", "proxy_cache_path /etc is not allowed"),
    ("client_body_temp_path /home/dokku;", "client_body_temp_path /home/dokku is not allowed"),
    ("include /home/dokku/other/ENV;", "include /home/dokku/other/ENV is not allowed"),
    ("include ../dokku/other/ENV;", "include ../dokku/other/ENV is not allowed"),
    ("init_by_lua_block { os.execute('id') }", "init_by_lua_block os.execute(' is not allowed"),
    ("perl_modules /home/x;", "perl_modules /home/x is not allowed"),
    ("perl 'sub { BEGIN { system(q(id)) } }';", "perl sub is not allowed"),
    ("lua_package_path '/tmp/?.lua';", "lua_package_path /tmp/?.lua is not allowed"),
    ("lua_package_cpath /tmp/?.so;", "lua_package_cpath /tmp/?.so is not allowed"),
    ("modsecurity_rules 'SecAuditLog /etc/x';", "modsecurity_rules SecAuditLog is not allowed"),
    ("ssl_certificate_key engine:/tmp/x.so:k;", "ssl_certificate_key engine:/tmp/x.so:k is not allowed"),
    ("grpc_ssl_certificate_key 'engine:x:k';", "grpc_ssl_certificate_key engine:x:k is not allowed"),
    ("ssl_certificate_key #\nengine:x:k;", "ssl_certificate_key # is not allowed"),
    ("listen unix:/etc/x;", "listen unix:/etc/x is not allowed"),
    ("listen 'UNIX:/etc/x';", "listen UNIX:/etc/x is not allowed"),
    ("listen #\nunix:/etc/x;", "listen # is not allowed"),
    ('proxy_temp_path "/tmp/nginx/a\'/../../../etc";', "proxy_temp_path /tmp/nginx/a' is not allowed"),
    ("access_log '/var/log/nginx/a /../x';", "access_log /var/log/nginx/a is not allowed"),
    ("location include { access_log /etc/x; }", "access_log /etc/x is not allowed"),
    ("location listen { include /etc/shadow; }", "include /etc/shadow is not allowed"),
    ("include /etc/nginx/a'/../x;", "include /etc/nginx/a' is not allowed"),
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_templates_do_every_day_is_allowed(text: str) -> None:
    nginx_directives.verify(f"server {{\n  {text}\n}}\n", "web")


def test_the_keys_of_other_apps_are_not_used() -> None:
    own, other = (f"ssl_certificate_key {settings.app_dir(app)}/tls/server.key;" for app in ("web", "bee"))
    nginx_directives.verify(own, "web")
    around = f"ssl_certificate_key {settings.app_dir('web')}/../bee/tls/server.key;"
    ordered = f"proxy_ssl_certificate_key {settings.data('haproxy-vhosts')}/certificates/a.pem;"
    slashes, roundabout = (other.replace(" /", f" {way}/") for way in ("/", "/proc/self/root"))
    for text in (other, around, ordered, slashes, roundabout):
        with pytest.raises(DokkuError, match="is not allowed"):
            nginx_directives.verify(text, "web")


def test_what_is_beside_the_apps_file_is_included() -> None:
    nginx_directives.verify(f"include {settings.app_dir('web')}/nginx.conf.d/*.conf;", "web")
    with pytest.raises(DokkuError, match="is not allowed"):
        nginx_directives.verify(f"include {settings.app_dir('bee')}/nginx.conf.d/*.conf;", "web")


@pytest.mark.parametrize(("text", "said"), HARMFUL)
def test_what_nginx_would_do_as_root_elsewhere_is_not(text: str, said: str) -> None:
    with pytest.raises(DokkuError) as caught:
        nginx_directives.verify(text, "web")
    assert caught.value.text.endswith(said)


@given(st.text(" \n\t;{}#\"'a\\", max_size=12), st.sampled_from([" ", "\n", "\t", "' ", '" ', " '", ' "']))
def test_nothing_written_before_it_hides_it(before: str, between: str) -> None:
    with pytest.raises(DokkuError, match="is not allowed"):
        nginx_directives.verify(f"{before}\n;error_log{between}/etc/cron.d/x;\n}}", "web")
