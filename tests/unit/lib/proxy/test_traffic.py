"""Which proxy serves an app, and how one takes an app over from the other."""

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest

from lib.app import config
from lib.base import files, settings
from lib.base.errors import AppsFailed, DokkuError
from lib.proxy import batching, haproxy_fronts, owners, proxies, sites, traffic
from tests.unit.lib.proxy.conftest import Host
from tests.unit.lib.proxy.test_haproxy_vhosts import balanced

__all__ = ["balanced"]


def choose(app: str, kind: str) -> None:
    config.set_values(app, {"DOKKU_APP_PROXY_TYPE": kind})


def build(app: str) -> None:
    for kind in ("haproxy", "nginx"):
        traffic.answer(kind)(app)


def build_together(apps: list[str]) -> None:
    with batching.batched():
        for app in apps:
            build(app)


def test_the_old_proxy_keeps_an_app_that_the_new_one_does_not_serve(balanced: Host) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    choose("web", "nginx")
    build("web")
    choose("web", "haproxy")
    with pytest.raises(DokkuError, match="haproxy is not running"):
        build("web")
    assert "10.0.0.2" in balanced.in_force["web"]


def test_the_old_proxy_keeps_an_app_that_the_new_one_refuses(balanced: Host) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    with pytest.raises(DokkuError):
        build("web")
    choose("web", "nginx")
    balanced.refused = ["server_name web.test"]
    with pytest.raises(DokkuError, match="Invalid nginx config for web"):
        build("web")
    assert traffic.addresses("web") == {"10.0.0.2"}
    assert haproxy_fronts.names("web") == {"web.test"}


def test_the_new_proxy_takes_an_app_over(balanced: Host) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    with pytest.raises(DokkuError):
        build("web")
    choose("web", "nginx")
    build("web")
    assert "10.0.0.2" in balanced.in_force["web"]
    assert haproxy_fronts.current() == {}


def test_an_app_that_moved_keeps_its_domain_from_others_that_list_it(balanced: Host) -> None:
    balanced.app("ant", "10.0.0.2", domains="both.test")
    balanced.app("bee", "10.0.0.3", domains="both.test bee.test")
    for app in ("ant", "bee"):
        choose(app, "nginx")
        build(app)
    choose("ant", "haproxy")
    with pytest.raises(DokkuError):
        build("ant")
    traffic._take_from_others("haproxy", ["ant"])
    build("bee")
    assert "ant" not in balanced.in_force
    assert haproxy_fronts.names("ant") == {"both.test"}
    assert "both.test" not in balanced.in_force["bee"]


def test_a_domain_goes_to_an_app_of_the_other_proxy_when_nobody_has_it_any_more(balanced: Host) -> None:
    balanced.app("ant", "10.0.0.2", domains="both.test")
    balanced.app("bee", "10.0.0.3", domains="both.test bee.test")
    with pytest.raises(DokkuError):
        build("ant")
    choose("bee", "nginx")
    build("bee")
    assert "server_name bee.test;" in balanced.in_force["bee"]
    traffic.clear(["ant"])
    assert "server_name both.test bee.test;" in balanced.in_force["bee"]
    assert not owners.is_known("ant")


def test_apps_of_both_proxies_in_a_batch_are_one_test_each(balanced: Host) -> None:
    for number in range(4):
        balanced.app(f"app{number}", f"10.0.0.{number + 2}", domains=f"{number}.test")
        choose(f"app{number}", "nginx" if number % 2 else "haproxy")
    with pytest.raises(DokkuError, match="haproxy is not running"):
        build_together([f"app{number}" for number in range(4)])
    assert balanced.in_force.keys() == {"app1", "app3"}
    assert haproxy_fronts.current().keys() == {"app0", "app2"}
    assert balanced.count("nginx -s reload") == 1


def test_an_app_can_be_forgotten_whoever_serves_it(balanced: Host) -> None:
    balanced.app("ant", "10.0.0.2", domains="ant.test")
    balanced.app("bee", "10.0.0.3", domains="bee.test")
    choose("bee", "nginx")
    build("bee")
    with pytest.raises(DokkuError):
        build("ant")
    assert traffic.leads_to("ant", ["10.0.0.2"])
    assert traffic.leads_to("bee", ["10.0.0.3"])
    traffic.clear(["ant", "bee"])
    assert not owners.is_known("ant")
    assert not owners.is_known("bee")


@pytest.mark.parametrize("serves_already", [True, False])
def test_who_gets_another_proxy_while_a_batch_waits_is_left_to_that(
    balanced: Host, serves_already: bool
) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    choose("web", "nginx")
    build("web")
    with batching.batched():
        build("web")
        choose("web", "haproxy")
        if serves_already:
            with pytest.raises(DokkuError, match="haproxy is not running"), batching.at_once():
                build("web")
            traffic._take_from_others("haproxy", ["web"])
    assert traffic.addresses("web") == {"10.0.0.2"}
    assert bool(haproxy_fronts.names("web")) == serves_already


def test_ours_forget_an_app_when_a_plugins_proxy_is_built_for_it(balanced: Host) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    choose("web", "nginx")
    build("web")
    traffic.leave("web")
    assert owners.is_known("web")
    choose("web", "traefik")
    assert owners.is_known("web")
    build("web")
    traffic.leave("web")
    assert not owners.is_known("web")
    assert "web" not in balanced.in_force


@pytest.mark.parametrize("plugin", ["haproxy", "haproxy-vhosts"])
def test_a_plugin_of_that_name_is_the_proxy_instead_of_us(balanced: Host, plugin: str) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    os.makedirs(Path(settings.plugins_enabled(), plugin))
    build("web")
    assert haproxy_fronts.current() == {}
    assert proxies.served_port("haproxy", 80) == 80
    os.unlink("/usr/sbin/haproxy")
    proxies.set_("web", ["haproxy"])


def test_haproxy_is_chosen_only_where_it_is_installed(balanced: Host) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    choose("web", "nginx")
    os.unlink("/usr/sbin/haproxy")
    with pytest.raises(DokkuError, match="haproxy is not installed, try: apt-get install haproxy"):
        proxies.set_("web", ["haproxy"])
    assert proxies.type_("web") == "nginx"


def test_ports_of_the_host_are_other_ports_of_haproxy(balanced: Host) -> None:
    balanced.app("web")
    config.set_values(config.GLOBAL, {"DOKKU_PROXY_PORT": "81"})
    assert [proxies.served_port("haproxy", port) for port in (80, 81, 443, 9000)] == [8080, 8080, 8443, 9000]
    assert [proxies.served_port("nginx", port) for port in (80, 443)] == [80, 443]


def test_a_damaged_record_of_haproxys_is_told_and_stops_only_its_own_apps(balanced: Host, capfd: Any) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    with pytest.raises(DokkuError, match="haproxy is not running"):
        build("web")
    files.remove(f"{haproxy_fronts.directory()}/generations")
    haproxy_fronts._recorded.cache_clear()
    haproxy_fronts._warn_once.cache_clear()
    balanced.app("blog", "10.0.0.3", domains="blog.test")
    choose("blog", "nginx")
    capfd.readouterr()
    build("blog")
    assert traffic.leads_to("blog", ["10.0.0.3"])
    traffic.clear(["blog", "web"])
    assert capfd.readouterr().err.count("is damaged") == 1
    with pytest.raises(DokkuError, match="is damaged"):
        build("web")


def test_what_haproxy_is_to_have_is_foretold_and_kept_from_nginx(balanced: Host, capfd: Any) -> None:
    balanced.app("web", "10.0.0.2", domains="web.test")
    with pytest.raises(DokkuError, match="haproxy is not running"):
        build("web")
    balanced.app("blog", domains="blog.test")
    config.set_values("blog", {"DOKKU_PROXY_PORT_MAP": "http:80:5000 http:8080:5000 https:8080:5000"})
    capfd.readouterr()
    sites.foretell("blog")
    assert capfd.readouterr().err == (
        " !     Port map http:8080:5000 of blog can't be served: another entry is at port 8080 already\n"
    )
    choose("blog", "nginx")
    balanced.app("blog", "10.0.0.3")
    build("blog")
    assert "listen      80;" in balanced.in_force["blog"]
    assert "8080" not in balanced.in_force["blog"]
    assert "of blog: haproxy is at port 8080 for web" in capfd.readouterr().err


def at_a_port_of_its_own(host: Host, app: str, kind: str) -> None:
    host.app(app, "10.0.0.2", domains=f"{app}.test")
    config.set_values(app, {"DOKKU_PROXY_PORT_MAP": "http:80:5000 http:9000:5000"})
    choose(app, kind)
    with contextlib.suppress(DokkuError):
        build(app)


@pytest.mark.parametrize(("old", "new"), [("nginx", "haproxy"), ("haproxy", "nginx")])
def test_an_app_at_a_port_of_its_own_has_to_leave_its_old_proxy_first(
    balanced: Host, old: str, new: str
) -> None:
    at_a_port_of_its_own(balanced, "web", old)
    choose("web", new)
    with pytest.raises(AppsFailed) as caught:
        build("web")
    assert caught.value.lines == [
        f"{new} can't serve web yet",
        f"web: it is at port 9000 with {old}, which has to give it up first: dokku proxy:clear-config web",
    ]
    assert traffic.PROXIES[old].addresses("web") == {"10.0.0.2"}
    assert traffic.PROXIES[new].addresses("web") is None
    traffic.clear(["web"])
    with contextlib.suppress(DokkuError):
        build("web")
    assert traffic.PROXIES[new].addresses("web") == {"10.0.0.2"}


def test_an_app_that_has_to_leave_first_stops_no_other_of_its_batch(balanced: Host) -> None:
    for app in ("ant", "bee"):
        at_a_port_of_its_own(balanced, app, "haproxy")
    choose("ant", "nginx")
    balanced.app("cow", "10.0.0.4", domains="cow.test")
    choose("cow", "nginx")
    with pytest.raises(AppsFailed) as caught:
        build_together(["ant", "cow"])
    assert caught.value.reasons.keys() == {"ant"}
    assert balanced.in_force.keys() == {"cow"}


def test_a_proxy_that_is_disabled_needs_nobody_to_leave_first(balanced: Host) -> None:
    at_a_port_of_its_own(balanced, "web", "nginx")
    choose("web", "haproxy")
    config.set_values("web", {"DOKKU_DISABLE_PROXY": "1"})
    build("web")
    assert not owners.is_known("web")


def test_the_old_proxy_keeps_an_app_for_which_the_new_one_has_no_port(balanced: Host, capfd: Any) -> None:
    balanced.app("ant", "10.0.0.2", domains="ant.test")
    config.set_values("ant", {"DOKKU_PROXY_PORT_MAP": "grpc:9000:5000"})
    choose("ant", "nginx")
    build("ant")
    balanced.app("web", "10.0.0.3", domains="web.test")
    with pytest.raises(DokkuError, match="haproxy is not running"):
        build("web")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:9000:5000"})
    choose("web", "nginx")
    build("web")
    assert haproxy_fronts.names("web") == {"web.test"}
    assert "web stays with haproxy: it can be at none of its ports with nginx" in capfd.readouterr().err
