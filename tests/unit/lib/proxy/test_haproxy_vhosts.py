"""What haproxy will find when it starts, and what it refuses. See tests/tools for one that runs."""

import os
from pathlib import Path
from typing import Any

import pytest

from lib.app import config, domains
from lib.base import files, properties
from lib.base.errors import AppsFailed, DokkuError
from lib.proxy import haproxy_fronts, haproxy_vhosts
from lib.tools import haproxy
from tests.conftest import Answer
from tests.unit.lib.proxy.conftest import Host


@pytest.fixture
def balanced(host: Host, fs: Any) -> Host:
    """A host with haproxy, which is the proxy of all apps; it refuses what holds a word of `refused`."""
    fs.create_file("/usr/sbin/haproxy", st_mode=0o100755)
    properties.write("proxy", properties.GLOBAL, "type", "haproxy")
    others = host._answer

    def answer(line: str) -> Answer | None:
        if not line.startswith("/usr/sbin/haproxy -c -f "):
            return others(line)
        text = Path(line.rpartition(" ")[2]).read_text()
        bad = [word for word in host.refused if word in text]
        said = f"[ALERT]    (1) : config : {bad}\n[ALERT]    (1) : config : Fatal errors found\n"
        return Answer(b"", said.encode() if bad else b"", 1 if bad else 0, None)

    host._answer = answer  # type: ignore[method-assign]
    return host


def apply(*apps: str) -> None:
    """haproxy does not run, which is all that is wrong."""
    with pytest.raises(DokkuError, match="haproxy is not running"):
        haproxy_vhosts.apply(apps)


def served() -> dict[str, list[str]]:
    return {app: front.addresses for app, front in haproxy_fronts.current().items()}


def text() -> str:
    return files.read(haproxy.ours().configuration)


def test_an_app_is_in_the_configuration_that_a_stopped_haproxy_will_find(balanced: Host) -> None:
    balanced.app("web", "10.0.0.2", "10.0.0.3", domains="web.test")
    apply("web")
    assert served() == {"web": ["10.0.0.2", "10.0.0.3"]}
    assert "  server web-2 10.0.0.3:5000\n" in text()


def test_no_haproxy_is_needed_for_apps_that_it_does_not_serve(balanced: Host) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    config.set_values("web", {"DOKKU_DISABLE_PROXY": "1"})
    assert haproxy_vhosts.apply(["web"]) is False
    assert served() == {}


def test_a_stopped_haproxy_is_no_concern_of_an_app_that_it_does_not_know(balanced: Host) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    apply("web")
    balanced.app("idle", domains="idle.test")
    haproxy_vhosts.apply(["idle"])
    assert served().keys() == {"web"}


def test_all_apps_of_a_batch_are_tested_at_once(balanced: Host) -> None:
    names = [f"app{number}" for number in range(20)]
    for number, name in enumerate(names):
        balanced.app(name, f"10.0.0.{number + 2}", domains=f"{name}.test")
    apply(*names)
    assert len(served()) == 20
    assert len([line for line in balanced.ran if " -c " in line]) == 1
    assert len([line for line in balanced.ran if line.startswith("docker")]) == 1


def test_what_haproxy_refuses_stays_as_it_was_and_the_others_go_on(balanced: Host) -> None:
    for number, name in enumerate(("ant", "bad", "cow"), 2):
        balanced.app(name, f"10.0.0.{number}", domains=f"{name}.test")
    apply("ant", "bad", "cow")
    balanced.refused = ["10.0.0.66"]
    for number, name in enumerate(("ant", "bad", "cow"), 65):
        balanced.app(name, f"10.0.0.{number}")
    with pytest.raises(DokkuError) as caught:
        haproxy_vhosts.apply(["ant", "bad", "cow"], must_run=False)
    assert isinstance(caught.value, AppsFailed)
    assert caught.value.reasons.keys() == {"bad"}
    assert served() == {"ant": ["10.0.0.65"], "bad": ["10.0.0.3"], "cow": ["10.0.0.67"]}


def test_a_configuration_that_is_refused_as_it_stands_is_made_of_what_is_left(balanced: Host) -> None:
    balanced.app("ant", "10.0.0.2", domains="ant.test")
    balanced.app("bee", "10.0.0.3", domains="bee.test")
    apply("ant", "bee")
    balanced.refused = ["10.0.0.3"]
    with pytest.raises(AppsFailed, match="bee"):
        haproxy_vhosts.apply(["ant"], must_run=False)
    assert served() == {"ant": ["10.0.0.2"]}


def test_a_domain_that_is_given_up_goes_to_the_other_app_that_lists_it(balanced: Host) -> None:
    balanced.app("ant", "10.0.0.2", domains="both.test")
    balanced.app("bee", "10.0.0.3", domains="both.test bee.test")
    apply("ant", "bee")
    assert haproxy_fronts.names("bee") == {"bee.test"}
    haproxy_vhosts.clear(["ant"])
    assert served().keys() == {"bee"}
    assert haproxy_fronts.names("bee") == {"both.test", "bee.test"}


def test_apps_are_forgotten_where_haproxy_was_uninstalled(balanced: Host) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    apply("web")
    os.unlink("/usr/sbin/haproxy")
    haproxy_vhosts.clear(["web"])
    assert served() == {}
    with pytest.raises(DokkuError, match="haproxy is not installed, try: apt-get install haproxy"):
        haproxy_vhosts.apply(["web"])


def test_the_hosts_own_ports_are_haproxys_own_and_others_are_as_they_are_mapped(balanced: Host) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:80:5000 http:9000:6000"})
    apply("web")
    routes = [(one.port, one.container) for one in haproxy_fronts.current()["web"].routes]
    assert routes == [(8080, 5000), (9000, 6000)]


def test_a_certificate_is_kept_and_http_leads_to_https(balanced: Host) -> None:
    directory = balanced.app("web", "10.0.0.2", domains="web.test")
    for name in ("server.crt", "server.key"):
        files.replace(str(directory / "tls" / name), f"-- {name} --\n")
    apply("web")
    front = haproxy_fronts.current()["web"]
    assert [(one.port, one.is_secure, one.redirect) for one in front.routes] == [
        (8080, False, 8443),
        (8443, True, 0),
    ]
    kept = files.read(haproxy_fronts.certificate(front.certificate))
    assert kept == "-- server.crt --\n-- server.key --\n"
    files.remove(str(directory / "tls"))
    assert files.read(haproxy_fronts.certificate(front.certificate)) == kept


def nameless(host: Host, app: str, ip: str, *entries: str) -> None:
    host.app(app, ip)
    config.set_values(app, {"NO_VHOST": "1", "DOKKU_PROXY_PORT_MAP": " ".join(entries)})


def with_certificate(directory: Path) -> None:
    for name in ("server.crt", "server.key"):
        files.replace(str(directory / "tls" / name), "pem\n")


def routes(app: str) -> list[tuple[int, int, int]]:
    """Port, container's port and redirection of each."""
    return [(one.port, one.container, one.redirect) for one in haproxy_fronts.current()[app].routes]


def test_an_app_that_can_be_at_none_of_its_ports_is_refused(balanced: Host, capfd: Any) -> None:
    nameless(balanced, "ant", "10.0.0.2", "http:9000:5000")
    apply("ant")
    nameless(balanced, "bee", "10.0.0.3", "http:9000:5000")
    with pytest.raises(AppsFailed) as caught:
        haproxy_vhosts.apply(["bee"], must_run=False)
    assert caught.value.reasons == {"bee": "bee can be at none of its ports with haproxy"}
    assert served().keys() == {"ant"}
    assert "Skipping port map http:9000:5000 of bee: ant has no domains" in capfd.readouterr().err


def test_an_app_without_domains_at_haproxys_own_port_has_the_hosts_name_there(balanced: Host) -> None:
    nameless(balanced, "box", "10.0.0.2", "http:8080:5000")
    apply("box")
    balanced.app("web", "10.0.0.3", domains="web.test")
    apply("web")
    assert haproxy_fronts.names("box") == {domains.hostname()}
    assert routes("box") == routes("web") == [(8080, 5000, 0)]


def test_of_two_apps_without_domains_one_has_the_hosts_name(balanced: Host, capfd: Any) -> None:
    nameless(balanced, "zed", "10.0.0.2", "http:80:5000")
    nameless(balanced, "abc", "10.0.0.3", "http:80:5000", "http:81:5000")
    apply("zed")
    apply("abc")
    assert routes("zed") == [(8080, 5000, 0)]
    assert routes("abc") == [(81, 5000, 0)]
    assert "Skipping port map http:80:5000 of abc: zed answers to" in capfd.readouterr().err


def test_the_hosts_name_is_one_apps_at_each_proxy(balanced: Host) -> None:
    nameless(balanced, "box", "10.0.0.2", "http:80:5000")
    balanced.app("box").joinpath("nginx.conf").write_text(
        f"server {{\n  listen 80;\n  server_name {domains.hostname()};\n}}\n"
    )
    config.set_values("box", {"DOKKU_APP_PROXY_TYPE": "nginx"})
    nameless(balanced, "abc", "10.0.0.3", "http:80:5000")
    apply("abc")
    assert routes("abc") == [(8080, 5000, 0)]


def test_no_app_has_tls_spoken_at_haproxys_http_port(balanced: Host, capfd: Any) -> None:
    with_certificate(balanced.app("box", "10.0.0.2", domains="box.test"))
    config.set_values("box", {"DOKKU_PROXY_PORT_MAP": "https:8080:5000 http:81:5000"})
    apply("box")
    balanced.app("web", "10.0.0.3", domains="web.test")
    apply("web")
    assert routes("box") == [(81, 5000, 0)]
    assert routes("web") == [(8080, 5000, 0)]
    assert "of box: haproxy speaks HTTP at port 8080" in capfd.readouterr().err


def test_visitors_are_not_sent_to_an_https_port_that_the_app_has_not_got(balanced: Host) -> None:
    nginx = balanced.app("ant", "10.0.0.2", domains="ant.test")
    (nginx / "nginx.conf").write_text("server {\n  listen 8443 ssl;\n  server_name ant.test;\n}\n")
    with_certificate(balanced.app("web", "10.0.0.3", domains="web.test"))
    apply("web")
    assert routes("web") == [(8080, 5000, 0)]


def test_the_hosts_usual_port_is_the_apps_before_it_is_another_entrys(balanced: Host, capfd: Any) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:80:5001 http:8080:5000 http:81:5002"})
    apply("web")
    assert routes("web") == [(8080, 5001, 0), (81, 5002, 0)]
    assert "Skipping port map http:8080:5000 of web: another entry is at" in capfd.readouterr().err


def test_a_port_that_nginx_is_to_have_is_not_haproxys(balanced: Host, capfd: Any) -> None:
    nginx = balanced.app("ant", "10.0.0.2", domains="ant.test")
    (nginx / "nginx.conf").write_text("server {\n  listen 9000;\n  server_name ant.test;\n}\n")
    balanced.app("web", "10.0.0.3", domains="web.test")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:80:5000 http:9000:5000"})
    apply("web")
    assert routes("web") == [(8080, 5000, 0)]
    assert "Skipping port map http:9000:5000 of web: nginx is at port 9000 for ant" in capfd.readouterr().err


def test_it_does_not_start_where_nginx_would_not_start_then(balanced: Host) -> None:
    nginx = balanced.app("ant", "10.0.0.2", domains="ant.test")
    (nginx / "nginx.conf").write_text("server {\n  listen 8080;\n  server_name ant.test;\n}\n")
    with pytest.raises(DokkuError, match="haproxy can't listen at port 8080: nginx is there for ant"):
        haproxy_vhosts.start()


def test_what_an_app_has_just_got_is_not_its_heirs(balanced: Host) -> None:
    for app, ip in (("ant", "10.0.0.2"), ("bee", "10.0.0.3"), ("cow", "10.0.0.4")):
        balanced.app(app, ip, domains=f"{app}.test")
    balanced.app("ant", domains="both.test")
    apply("ant")
    balanced.app("ant", domains="ant.test")
    with_certificate(balanced.app("cow"))
    config.set_values("cow", {"DOKKU_PROXY_PORT_MAP": "https:9000:5000"})
    balanced.app("bee", domains="both.test")
    config.set_values("bee", {"DOKKU_PROXY_PORT_MAP": "http:80:5000 http:9000:5000"})
    apply("ant", "cow")
    assert routes("cow") == [(9000, 5000, 0)]
    assert routes("bee") == [(8080, 5000, 0)]
