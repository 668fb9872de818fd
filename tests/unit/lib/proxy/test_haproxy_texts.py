"""What haproxy is told: backends of apps, names at ports, certificates. No haproxy reads it here."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import properties
from lib.base.errors import DokkuError
from lib.proxy import haproxy_fronts, haproxy_options, haproxy_texts
from lib.proxy.haproxy_fronts import Front, Route


def route(
    port: int = 8080, container: int = 5000, secure: bool = False, to: int = 0, h2: bool = False
) -> Route:
    return Route(port, secure, container, h2, to)


def front(app: str, *names: str, routes: list[Route] | None = None, addresses=("10.0.0.2",), **more) -> Front:
    options = {**haproxy_options.effective(app), **more}
    certificate = "c.pem" if any(one.is_secure for one in routes or []) else ""
    return Front(app, list(names), routes or [route()], list(addresses), certificate, options)


def made(*fronts: Front) -> dict[str, str]:
    return haproxy_texts.made({one.app: one for one in fronts})


def test_a_name_leads_to_the_backend_of_its_app(fs) -> None:
    texts = made(front("web", "web.test", "www.web.test"), front("blog", "blog.test", addresses=["10.0.0.3"]))
    assert texts["names-8080.map"] == "blog.test blog-5000\nweb.test web-5000\nwww.web.test web-5000\n"
    assert "backend web-5000\n" in texts["haproxy.cfg"]
    assert "  server web-1 10.0.0.3:5000\n" in texts["haproxy.cfg"]


def test_nobodys_names_are_answered_404_even_without_an_app(fs) -> None:
    text = made()["haproxy.cfg"]
    assert "  default_backend nobody\n" in text
    assert "backend nobody\n  http-request return status 404\n" in text


def test_the_longest_ending_counts_first(fs) -> None:
    texts = made(front("a", "*.test"), front("b", "*.b.test", "b.test"))
    assert texts["wildcards-8080.map"] == ".b.test b-5000\n.test a-5000\n"
    assert texts["names-8080.map"] == "b.test b-5000\n"


def test_an_app_without_names_has_a_port_for_every_name(fs) -> None:
    texts = made(front("web", routes=[route(9000)]))
    assert "frontend at-9000\n" in texts["haproxy.cfg"]
    assert "  default_backend web-5000\n" in texts["haproxy.cfg"]


def test_https_is_refused_to_names_that_nobody_has(fs) -> None:
    both = [route(to=8443), route(8443, secure=True)]
    texts = made(front("web", "web.test", routes=both))
    assert re.search(
        r"bind \S+:8443 .*ssl crt-list certificates-8443.list alpn h2,http/1.1 strict-sni\n",
        texts["haproxy.cfg"],
    )
    assert texts["certificates-8443.list"] == f"{haproxy_fronts.certificate('c.pem')} web.test\n"
    assert texts["names-8080.map"] == "web.test to:8443\n"
    assert "location https://%[req.fhdr(host),host_only]:8443%[pathq] code 301" in texts["haproxy.cfg"]


def test_an_apps_own_names_count_before_those_that_anothers_certificate_covers(fs) -> None:
    secure = [route(8443, secure=True)]
    wild = front("a", "*.test", routes=secure)._replace(covered=("x.b.test",))
    own = front("b", "x.b.test", routes=secure)
    lines = made(wild, own)["certificates-8443.list"].splitlines()
    assert [line.split()[1:] for line in lines] == [["*.test"], ["x.b.test"], ["x.b.test"]]


def test_an_app_without_addresses_answers_502(fs) -> None:
    assert "  http-request return status 502\n" in haproxy_texts.backends(
        front("web", "a.test", addresses=[])
    )


def test_options_of_an_app_are_in_its_backend_only(fs) -> None:
    limited = front("web", "a.test", **{"client-max-body-size": "2k", "proxy-read-timeout": "5s"})
    assert "  timeout server 5s\n" in haproxy_texts.backends(limited)
    assert "deny deny_status 413 if { req.body_size gt 2048 }" in haproxy_texts.backends(limited)
    assert "413" not in haproxy_texts.backends(front("blog", "b.test"))


def test_browsers_are_told_to_insist_on_https_where_there_is_a_certificate(fs) -> None:
    secure = front("web", "a.test", routes=[route(8443, secure=True)])
    header = 'Strict-Transport-Security "max-age=15724800; includeSubdomains" if { ssl_fc }'
    assert header in haproxy_texts.backends(secure)
    assert "Strict" not in haproxy_texts.backends(
        secure._replace(options={**secure.options, "hsts": "false"})
    )
    assert "Strict" not in haproxy_texts.backends(front("web", "a.test"))


def test_grpc_is_http2_to_the_container(fs) -> None:
    text = haproxy_texts.backends(front("web", "a.test", routes=[route(h2=True)]))
    assert "backend web-5000:h2\n" in text
    assert "server web-1 10.0.0.2:5000 proto h2\n" in text


def test_addresses_of_ipv6_stand_in_brackets(fs) -> None:
    assert "server web-1 [fd00::2]:5000\n" in haproxy_texts.backends(front("web", addresses=["fd00::2"]))


def test_the_host_says_where_haproxy_listens(fs) -> None:
    properties.write("haproxy", properties.GLOBAL, "bind-address", "::1")
    properties.write("haproxy", properties.GLOBAL, "http-port", "81")
    assert "  bind [::1]:81\n" in made()["haproxy.cfg"]
    assert haproxy_texts.listened({}) == {81: False}


def test_an_app_that_had_a_port_before_does_not_change_what_haproxy_speaks_at_its_own(fs) -> None:
    texts = made(front("box", "box.test", routes=[route(8080, secure=True)]), front("web", "web.test"))
    assert texts["names-8080.map"] == "web.test web-5000\n"
    assert " ssl " not in texts["haproxy.cfg"]


def test_no_app_can_be_called_like_a_backend_of_ours(fs) -> None:
    """`to:8443` and `nobody`: a name of an app has no colon, and every backend of one ends in a port."""
    found = re.findall(
        r"^backend (\S+)", made(front("to-8443", "a.test"), front("nobody", "b.test"))["haproxy.cfg"], re.M
    )
    assert len(found) == len(set(found))


@given(st.text(min_size=1, max_size=20))
def test_what_could_be_more_than_a_word_is_refused(word: str) -> None:
    harmless = re.fullmatch(r"[A-Za-z0-9_.:*-]+", word) is not None
    given_ = Front("web", [word], [route()], ["10.0.0.2"], "", {})
    if harmless:
        haproxy_texts.verify(given_)
    else:
        with pytest.raises(DokkuError, match="can't stand in a haproxy configuration"):
            haproxy_texts.verify(given_)
