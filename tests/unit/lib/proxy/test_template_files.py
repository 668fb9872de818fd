from pathlib import Path

import pytest

from lib.base import settings
from lib.base.errors import DokkuError
from lib.proxy import conf_files, template_files
from lib.tools import nginx_syntax
from tests.unit.lib.proxy.conftest import Host


def confined(text: str) -> str:
    return nginx_syntax.write(template_files.confined(nginx_syntax.read(text), "web"))


def public(rest: str = "") -> str:
    return f"{template_files.public('web')[0]}{rest}"


def test_a_server_without_files_has_a_root_that_does_not_exist(host: Host) -> None:
    assert (
        confined("server { listen 80; }")
        == f"server {{\n  root {template_files.nowhere()};\n  listen 80;\n}}\n"
    )
    assert not Path(template_files.nowhere()).exists()


def test_links_are_not_followed_where_there_are_files(host: Host) -> None:
    found = confined(
        f"server {{ root {public('/x')}; location /u/ {{ alias {settings.data('storage', 'web')}/; }} }}"
    )
    assert found.count("root ") == 1
    assert f"    disable_symlinks on from={settings.data('storage', 'web')};\n" in found
    assert f"  disable_symlinks on from={public()};\n" in found


def test_a_root_that_people_added_takes_the_place_of_ours(host: Host) -> None:
    Path(conf_files.includes("web")).mkdir(parents=True)
    Path(conf_files.includes("web"), "x.conf").write_text("root /srv;\n")
    assert confined("server { listen 80; }") == "server {\n  listen 80;\n}\n"
    with pytest.raises(DokkuError, match="where files are served"):
        confined("server { rewrite ^/x(.*)$ /$1; }")


@pytest.mark.parametrize("added", ["location /x/ { alias /srv/x/; }", "include /srv/more;", "bad {"])
def test_what_people_added_may_have_files_too(host: Host, added: str) -> None:
    Path(conf_files.includes("web")).mkdir(parents=True)
    Path(conf_files.includes("web"), "x.conf").write_text(f"{added}\n")
    assert template_files.nowhere() in confined("server { listen 80; }")
    with pytest.raises(DokkuError, match="where files are served"):
        confined("server { rewrite ^ /x/../../etc/passwd; }")


def test_the_hosts_error_pages_are_for_their_own_locations(host: Host) -> None:
    root = f"root {template_files.error_pages()};"
    assert template_files.error_pages() in confined(
        f"server {{ location /404-error.html {{ {root} internal; }} }}"
    )
    for location in ("/", "/404-error.html/", "~ .html", "/x/y.html"):
        with pytest.raises(DokkuError, match="files are served from"):
            confined(f"server {{ location {location} {{ {root} }} }}")


def test_a_cache_is_where_caches_are(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOKKU_NGINX_CACHE_DIR", "/caches")
    tree = nginx_syntax.read("proxy_cache_path /etc levels=1:2 keys_zone=c:1m;")
    assert (
        nginx_syntax.write(template_files.moved(tree))
        == "proxy_cache_path /caches/c levels=1:2 keys_zone=c:1m;\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("root /;", "files are served from"),
        ("root www;", "files are served from"),
        ("root {public}/../;", "files are served from"),
        ("root {public}x;", "files are served from"),
        ("root {public}/$arg_x;", "files are served from"),
        ("root {lib}/data/storage/web2;", "files are served from"),
        ("location /x {{ alias {public}/; }}", "end both it and location /x with a slash, or neither"),
        ("location ^~ /x {{ alias {public}/; }}", "end both it and location ^~/x with a slash, or neither"),
        ("location /x/ {{ alias {public}; }}", "end both it and location /x/ with a slash, or neither"),
        ("location ~ ^/x(.*) {{ alias {public}/$1; }}", "files are served from"),
        ("location /x {{ if ($a) {{ alias {public}; }} }}", "it stands in a location itself"),
        ("root {public}; rewrite ^/x(.*)$ /$1;", "where files are served a uri has no"),
        ("root {public}; rewrite ^ /../ENV break;", "where files are served a uri has no"),
        ("root {public}; rewrite ^ $arg_f last;", "where files are served a uri has no"),
        ("root {public}; try_files /../ENV =404;", "where files are served a uri has no"),
        ("root {public}; try_files $uri$uri =404;", "where files are served a uri has no"),
        ("root {public}; try_files /$arg_x =404;", "where files are served a uri has no"),
        ("root {public}; error_page 404 /../ENV;", "where files are served a uri has no"),
        ("root {public}; index ../ENV;", "where files are served a uri has no"),
        (
            "root {public}; location / {{ rewrite ^/x(.*)$ /$1 break; try_files $uri @x; "
            "proxy_pass http://u; }}",
            "where files are served a uri has no",
        ),
    ],
)
def test_no_uri_leads_out_of_the_apps_files(host: Host, text: str, said: str) -> None:
    body = text.format(public=public(), lib=settings.lib())
    with pytest.raises(DokkuError) as caught:
        confined(f"server {{\n {body} }}")
    assert caught.value.text.startswith("line 2: ")
    assert said in caught.value.text


@pytest.mark.parametrize(
    "text",
    [
        "location /x/ {{ alias {public}/; }} location /y {{ alias {public}/y; "
        "}} location = /z {{ alias {public}/z; }}",
        "root {public}; try_files $uri $uri/ $uri.html /index.php$is_args$args =404;",
        "root {public}; rewrite ^/x(.*)$ /$1 permanent; rewrite ^/y(.*)$ https://a.com/$1; "
        "rewrite ^ /one last;",
        "root {public}; location /api/ {{ rewrite ^/api/(.*)$ /$1 break; proxy_pass http://u; }}",
        "root {public}; error_page 404 =200 @x; error_page 500 /500.html; index index.html;",
        "rewrite ^/x(.*)$ /$1; try_files /$arg_x =404;",
    ],
)
def test_what_stays_in_them_is_allowed(host: Host, text: str) -> None:
    confined(f"server {{ {text.format(public=public())} }}")


def test_files_for_nginx_itself_are_the_apps_own() -> None:
    top = settings.app_dir("web")
    for path in (
        f"{top}/nginx.conf.d/*.conf",
        f"{top}/nginx.conf.d/x.conf",
        "mime.types",
        "/etc/nginx/fastcgi_params",
    ):
        assert not template_files.include_problem("web", path)
    for path in (
        f"{top}/ENV",
        f"{top}/nginx.conf.d/../ENV",
        f"{top}/nginx.conf.d/a/b",
        "/etc/nginx/nginx.conf",
        "x",
    ):
        assert template_files.include_problem("web", path)
    for path in (f"{top}/tls/server.crt", f"{top}/letsencrypt/certs/a/fullchain.pem"):
        assert not template_files.certificate_problem("web", path)
    for path in (
        f"{top}/tls/../../bee/tls/server.key",
        f"{top}/tlsx",
        "engine:x:y",
        "data:$x",
        "/proc/self/root",
    ):
        assert template_files.certificate_problem("web", path)
    assert not template_files.password_problem("web", f"{top}/htpasswd")
    for path in (f"{top}/ENV", f"{settings.app_dir('bee')}/htpasswd", "/etc/shadow"):
        assert template_files.password_problem("web", path)


@pytest.mark.parametrize(
    ("words", "is_allowed"),
    [
        ("($a = b)", True),
        ("(-f $request_filename)", True),
        ("( !-e $document_root/closed.html )", True),
        ("(-f {public}/closed)", True),
        ("(-f /etc/passwd)", False),
        ("(-d $document_root/../x)", False),
        ("(-f $document_root$arg_x)", False),
        ("( -x $uri )", False),
    ],
)
def test_an_if_looks_at_files_of_the_app_only(words: str, is_allowed: bool) -> None:
    reason = template_files.test_problem("web", words.format(public=public()).split(" "))
    assert (reason == "") == is_allowed


def test_a_log_that_is_off_is_no_file(host: Host) -> None:
    found = confined("server { error_log off; access_log off; location / { error_log off; } }")
    assert found.count("error_log /dev/null;") == 2
    assert found.count(" off;") == 1
