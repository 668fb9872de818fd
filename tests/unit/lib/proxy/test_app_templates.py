import json
from pathlib import Path

import pytest

from lib.app import config
from lib.base import files, properties, settings
from lib.base.errors import AppsFailed
from lib.proxy import nginx_options, nginx_texts, vhosts
from lib.tools import nginx_syntax
from tests.unit.lib.proxy.conftest import Host

Output = pytest.CaptureFixture[str]
IMAGE = "sha256:0"  # that of the host's containers


def bring(app: str, template: str, image: str = IMAGE) -> None:
    """Have the app's image bring a template, as its deploy read it."""
    names = ("Procfile", "DOKKU_SCALE", "CHECKS", "app.json", "nginx.conf.sigil")
    place = Path(settings.data("builder", app), "image-files.json")
    place.parent.mkdir(parents=True, exist_ok=True)
    kept = {
        "id": image,
        "workdir": "/app",
        "places": [[name, f"/app/{name}"] for name in names],
        "files": {"nginx.conf.sigil": template} if template else {},
    }
    place.write_text(json.dumps(kept))


def text(app: str) -> str:
    """What the template gave, without our notes."""
    return (nginx_texts.texts([app])[app] or "").partition("# leads to ")[0]


def asked(template: str) -> str:
    """A template that nginx would take, with another one in it."""
    return f"log_format asked 'all: {template}';\n"


def answered(app: str) -> str:
    (told,) = nginx_syntax.read(text(app))
    return told.words[2].removeprefix("all: ")


def test_an_apps_own_template_takes_the_place_of_ours(host: Host, capfd: Output) -> None:
    host.app("web", "10.0.0.2", "10.0.0.3", domains="a.com b.com")
    words = "{{ .APP }} {{ $.NOSSL_SERVER_NAME }} {{ .DOKKU_APP_WEB_LISTENERS }} {{ .PROXY_PORT_MAP }}"
    bring("web", asked(words))
    vhosts.build(["web"])
    assert (host.conf("web") or "").rpartition("# checksum")[0] == (
        'log_format dokku_web__asked "all: web a.com b.com 10.0.0.2:5000 10.0.0.3:5000 http:80:5000";\n'
        "# leads to 10.0.0.2 10.0.0.3\n# serves every name\n# listens at no port\n"
    )
    assert capfd.readouterr().out.splitlines()[:4] == [
        "-----> Overriding default nginx.conf with detected nginx.conf.sigil",
        "-----> Configuring a.com...(using app-supplied template)",
        "-----> Configuring b.com...(using app-supplied template)",
        "-----> Creating http nginx.conf",
    ]


def test_it_is_left_alone_where_custom_configuration_is_disabled(host: Host, capfd: Output) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    bring("web", "server {}\n")
    properties.write("nginx", "web", "disable-custom-config", "true")
    vhosts.build(["web"])
    assert "upstream web-5000" in (host.conf("web") or "")
    assert "(using built-in template)" in capfd.readouterr().out


def test_without_listeners_ours_answers_502(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    bring("web", "server {}\n")
    host.containers("web")[0]["State"]["Running"] = False
    assert "return 502" in text("web")


def test_the_template_of_an_image_that_does_not_serve_does_not_count(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    bring("web", "server {}\n", image="sha256:other")
    assert "upstream web-5000" in text("web")


def test_one_apps_bad_template_is_named_and_stops_nobody_else(host: Host, capfd: Output) -> None:
    for name in ("ant", "bee"):
        host.app(name, "10.0.0.2", domains=f"{name}.com")
    bring("bee", "server { break; }\n")
    vhosts.build(["bee"])
    bring("bee", 'a\n{{ sh "id" }}\n')
    with pytest.raises(AppsFailed) as caught:
        vhosts.build(["ant", "bee"])
    assert caught.value.text == "Invalid nginx config for bee, not put in force"
    assert "bee: nginx.conf.sigil line 2: function sh is not supported" in str(caught.value.more)
    assert (host.conf("bee") or "").count("  break;\n")
    assert host.in_force.keys() == {"ant", "bee"}


def test_what_nginx_would_do_as_root_is_refused_before_nginx_sees_it(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    bring("web", "server { error_log /etc/cron.d/{{ .APP }}; }\n")
    host.ran.clear()
    with pytest.raises(AppsFailed) as caught:
        vhosts.build(["web"])
    said = (
        "web: nginx.conf.sigil line 1 of the result: error_log /etc/cron.d/web is not allowed: the app's logs"
    )
    assert said in str(caught.value.more)
    assert host.count("nginx -t") == 0
    assert host.conf("web") is None


@pytest.mark.parametrize(
    "named",
    ["server_name bee.com;", 'listen 80; server_name\n  web.org\n "BEE.com";', "server_name .bee.com;"],
)
def test_a_domain_that_another_app_is_served_under_is_refused(host: Host, named: str) -> None:
    host.app("ant", "10.0.0.2", domains="ant.com")
    host.app("bee", "10.0.0.3", domains="bee.com")
    vhosts.build(["ant", "bee"])
    before = host.conf("ant")
    bring("ant", f"server {{\n  # server_name bee.com;\n{named} }}\n")
    with pytest.raises(AppsFailed) as caught:
        vhosts.build(["ant"])
    said = "ant: nginx.conf.sigil line 3 of the result: server_name bee.com belongs to bee"
    assert said in str(caught.value.more)
    assert host.conf("ant") == before


def test_its_domains_are_those_that_it_was_given(host: Host) -> None:
    host.app("ant", "10.0.0.2", domains="ant.com *.ant.org")
    bring("ant", "server { server_name ANT.com www.ant.org .ant.org _; }\n")
    with pytest.raises(AppsFailed, match="Invalid nginx config for ant"):
        vhosts.build(["ant"])
    bring("ant", "server { server_name ANT.com www.ant.org *.ant.org _; }\n")
    assert vhosts.build(["ant"])
    assert "# serves ant.com www.ant.org *.ant.org\n" in (host.conf("ant") or "")


@pytest.mark.parametrize("name", ["shop.com", "*.com", "~^bee", '""', "localhost"])
def test_a_name_of_nobody_is_refused_with_what_to_do(host: Host, name: str) -> None:
    host.app("ant", "10.0.0.2", domains="ant.com")
    bring("ant", f"server {{ server_name ant.com {name}; }}\n")
    with pytest.raises(AppsFailed) as caught:
        vhosts.build(["ant"])
    bare = name.replace('"', "")
    assert f"{bare} is no domain of ant; add it with: dokku domains:add ant {bare}" in str(caught.value.more)


def test_one_that_is_trusted_stays_as_it_is_and_has_names_of_nobody(host: Host) -> None:
    host.app("ant", "10.0.0.2", domains="ant.com")
    properties.write("nginx", "ant", "trusted-template", "true")
    bring("ant", "aio threads; # mine\nserver { server_name ant.com shop.com; root /; }\n")
    vhosts.build(["ant"])
    assert text("ant") == "aio threads; # mine\nserver { server_name ant.com shop.com; root /; }\n"
    assert "# serves ant.com shop.com\n" in (host.conf("ant") or "")


def test_what_was_refused_is_in_the_report_until_it_is_mended(host: Host) -> None:
    host.app("ant", "10.0.0.2", domains="ant.com")
    bring("ant", "server { root /; }\n")
    with pytest.raises(AppsFailed):
        vhosts.build(["ant"])
    reported = {row.flag: row for row in nginx_options.rows("ant")}["--nginx-template-refused"]
    assert reported.newer
    assert "line 1 of the result: root / is not allowed" in reported.value
    bring("ant", "server { }\n")
    vhosts.build(["ant"])
    assert {row.flag: row.value for row in nginx_options.rows("ant")}["--nginx-template-refused"] == ""


def test_a_domain_that_another_app_lists_is_refused_before_that_one_is_served(host: Host) -> None:
    host.app("ant", "10.0.0.2", domains="ant.com")
    host.app("bee", "10.0.0.3", domains="bee.com")
    bring("ant", "server { server_name bee.com; }\n")
    with pytest.raises(AppsFailed, match="Invalid nginx config for ant"):
        vhosts.build(["ant"])


def test_what_an_app_has_by_its_template_is_not_taken_by_one_that_lists_it_later(
    host: Host, capfd: Output
) -> None:
    host.app("ant", "10.0.0.2", domains="ant.com")
    properties.write("nginx", "ant", "trusted-template", "true")
    bring("ant", "server { server_name shop.com; }\n")
    vhosts.build(["ant"])
    host.app("bee", "10.0.0.3", domains="bee.com shop.com")
    vhosts.build(["bee"])
    assert "server_name bee.com;" in host.in_force["bee"]
    assert "Skipping domain shop.com of bee: it belongs to ant" in capfd.readouterr().err
    host.containers("ant")[0]["NetworkSettings"]["IPAddress"] = "10.0.0.9"
    assert vhosts.build(["ant"])
    bring("ant", "server { server_name ant.com; }\n")
    vhosts.build(["ant"])
    assert "server_name bee.com shop.com;" in host.in_force["bee"]


def test_a_template_that_nginx_refuses_leaves_the_last_good_file(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    bring("web", "server { break; }\n")
    vhosts.build(["web"])
    bring("web", "server { set $x bogus; }\n")
    with pytest.raises(AppsFailed, match="Invalid nginx config for web"):
        vhosts.build(["web"])
    assert (host.conf("web") or "").count("  break;\n")


def test_every_option_can_be_asked_for(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    names = (
        "NGINX_ACCESS_LOG_PATH NGINX_ERROR_LOG_PATH NGINX_BIND_ADDRESS_IP6 CLIENT_MAX_BODY_SIZE "
        "PROXY_READ_TIMEOUT PROXY_BUFFERS PROXY_X_FORWARDED_FOR PROXY_X_FORWARDED_SSL KEEPALIVE_TIMEOUT "
        "NGINX_UNDERSCORE_IN_HEADERS"
    )
    bring("web", asked("\n".join(f"{{{{ $.{name} }}}}" for name in names.split())))
    nginx_options.set_("web", "error-log-path", "off")
    nginx_options.set_("web", "client-max-body-size", "1m")
    assert answered("web").splitlines() == [
        "/var/log/nginx/web-access.log",
        "/dev/null",
        "::",
        "1m",
        "60s",
        nginx_options.OPTIONS["proxy-buffers"].default,
        "$remote_addr",
        "",
        "75s",
        "off",
    ]


@pytest.mark.parametrize(
    ("version", "able"),
    [("1.22.1", "true true false true true false"), ("1.28.0", "true false true true true false")],
)
def test_what_nginx_can_do_can_be_asked_for(host: Host, version: str, able: str) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    host.answers("nginx -v", err=f"nginx version: nginx/{version}\n")
    kinds = ("HTTP2", "HTTP2_PUSH", "HTTP2_DIRECTIVE", "GRPC", "TLS13", "SPDY")
    bring("web", asked(" ".join(f"{{{{ $.{kind}_SUPPORTED }}}}" for kind in kinds)))
    assert answered("web") == able


def test_the_apps_variables_can_be_asked_for_by_var_alone(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    config.set_values("web", {"COLOUR": "blue"})
    bring("web", asked('{{ var "COLOUR" }}{{ .COLOUR }}{{ var "PATH" }}'))
    assert answered("web") == "blue<no value>"


def test_names_of_older_releases_are_still_known(host: Host, capfd: Output) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    bring("web", asked("{{ .DOKKU_APP_LISTENERS }} {{ .NGINX_PORT }}"))
    assert answered("web") == "10.0.0.2:5000 80"
    assert capfd.readouterr().err.splitlines() == [
        " !     Deprecated: DOKKU_APP_LISTENERS in nginx.conf.sigil of web, "
        "please use DOKKU_APP_WEB_LISTENERS",
        " !     Deprecated: NGINX_PORT in nginx.conf.sigil of web, please use PROXY_PORT",
    ]


def test_a_host_without_ipv6_does_not_listen_there(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    Path("/proc/net").mkdir(parents=True, exist_ok=True)
    Path("/proc/net/if_inet6").write_text("")
    bring("web", "server {\n  listen [::]:80;\n  listen 80;\n}\n")
    assert "[::]" not in text("web")
    assert "  listen 80;\n" in text("web")
    properties.write("nginx", "web", "trusted-template", "true")
    assert text("web") == "server {\n\n  listen 80;\n}\n"


def test_runs_of_empty_lines_become_one(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    properties.write("nginx", "web", "trusted-template", "true")
    bring("web", "\n\n\nmap a\n\n\n\n\nb {}\n\nserver {}\n")
    assert text("web") == "\nmap a\n\nb {}\n\nserver {}\n"


def test_a_plugin_brings_the_template_of_apps_without_their_own(host: Host) -> None:
    host.app("ant", "10.0.0.2", domains="ant.com")
    host.app("bee", "10.0.0.3", domains="bee.com")
    bring("ant", "server { break; }\n")
    place = Path(settings.plugins_enabled(), "brand")
    files.replace(str(place / "nginx-app-template-source"), "#!/bin/sh\n", mode=0o755)
    files.replace(str(place / "template"), "server { server_name {{ .NOSSL_SERVER_NAME }}; }\n")
    host.answers("…/nginx-app-template-source …", out=f"{place}/template\n")
    assert "  break;\n" in text("ant")
    assert "  server_name bee.com;\n" in text("bee")


def test_an_heirs_template_is_judged_by_what_the_giver_is_about_to_have(host: Host, capfd: Output) -> None:
    host.app("ant", "10.0.0.2", domains="ant.com shop.com")
    host.app("bee", "10.0.0.3", domains="bee.com shop.com")
    vhosts.build(["ant", "bee"])
    bring("bee", "server { listen 9000; server_name {{ .NOSSL_SERVER_NAME }}; }\n")
    config.set_values("bee", {"DOKKU_PROXY_PORT_MAP": "http:80:5000 http:9000:5000"})
    (Path(settings.app_dir("ant")) / "VHOST").write_text("ant.com\n")
    config.set_values("ant", {"DOKKU_PROXY_PORT_MAP": "grpc:9000:5000"})
    vhosts.build(["ant"])
    assert "of bee: ant speaks HTTP/2 at port 9000" in capfd.readouterr().err
